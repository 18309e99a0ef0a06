"""Whoever watches a run: the runner tells it what happens, and knows nothing of screens."""

from typing import Protocol

from experiments.result import ExperimentResult


class Observer(Protocol):
    """Is told what a run does. `left` is an upper estimate of the seconds that the whole run still takes."""

    def begins(self, name: str, number: int, count: int, left: float) -> None:
        """An experiment begins: the `number`th of `count`."""

    def step(self, text: str) -> None:
        """Something begins that comes before the rounds or after them: preparing, checking, calibrating."""

    def window(self, number: int, least: int, most: int, share: float, left: float) -> None:
        """A window begins: in round `number`, of `least` to `most` rounds; `share` of the round is done."""

    def ends(self, result: ExperimentResult) -> None:
        """An experiment is measured; also told for one that was finished before the run was interrupted."""

    def warn(self, text: str) -> None:
        """Something makes the figures less sure."""


class Silence:
    """An observer that looks away."""

    def begins(self, name: str, number: int, count: int, left: float) -> None:
        """Look away."""

    def step(self, text: str) -> None:
        """Look away."""

    def window(self, number: int, least: int, most: int, share: float, left: float) -> None:
        """Look away."""

    def ends(self, result: ExperimentResult) -> None:
        """Look away."""

    def warn(self, text: str) -> None:
        """Look away."""
