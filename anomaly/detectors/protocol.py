"""What every detector can do."""

from collections.abc import Sequence
from typing import Protocol

from anomaly.state import State


class Detector(Protocol):
    """Scores a vector, learns it, explains it, and can be saved.

    `score` and `explain` change nothing. A detector is used by one thread.
    """

    def score(self, x: Sequence[float]) -> float:
        """Return how unusual `x` is; higher is more so. The scale is the detector's own: rank it before comparing."""

    def learn(self, x: Sequence[float], weight: float = 1.0) -> None:
        """Take `x` in as usual, with a weight in [0, 1]."""

    def explain(self, x: Sequence[float]) -> list[float]:
        """Return what each feature contributes to the score; not for the request path."""

    def state(self) -> State:
        """Return everything it has learned."""

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateError: the state is of another kind or shape.
        """
