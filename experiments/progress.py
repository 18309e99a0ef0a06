"""How far a run is, for a person: a bar on a terminal, a line for each experiment elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from experiments.observer import Observer
from experiments.result import ExperimentResult
from secure_api.cli.console import say, stderr, warn

#: Seconds between two drawings of the bar: it is drawn between windows only, never by a thread during one.
PAUSE: Final = 0.2


class Lines:
    """An observer that says a line on stderr when an experiment begins and when it ends."""

    def begins(self, name: str, number: int, count: int, left: float) -> None:
        """Say which experiment begins."""
        say(f"[{number}/{count}] {name}: at most {duration(left)} left")

    def step(self, text: str) -> None:
        """Say nothing."""

    def window(self, number: int, least: int, most: int, share: float, left: float) -> None:
        """Say nothing."""

    def ends(self, result: ExperimentResult) -> None:
        """Say what was found."""
        say(ending(result))

    def warn(self, text: str) -> None:
        """Say it."""
        warn(text)


class Bar(Lines):
    """An observer that draws a bar on a terminal: experiment, round, time left."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[now]}", markup=False),
        )
        self._progress = Progress(*columns, console=console, transient=True, auto_refresh=False)
        self._task = self._progress.add_task("", total=1.0, now="")
        self._drawn = 0.0

    def __enter__(self) -> "Bar":
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def begins(self, name: str, number: int, count: int, left: float) -> None:
        """Show which experiment begins."""
        self._progress.update(self._task, description=f"[{number}/{count}] {name}", completed=0.0)
        self._draw(f"at most {duration(left)} left", at_once=True)

    def step(self, text: str) -> None:
        """Show what comes before the rounds."""
        self._draw(text)

    def window(self, number: int, least: int, most: int, share: float, left: float) -> None:
        """Show the round."""
        self._progress.update(self._task, completed=min(1.0, (number - 1 + share) / max(least, number)))
        self._draw(f"round {number} of {least} to {most}, at most {duration(left)} left", at_once=share == 0)

    def _draw(self, now: str, at_once: bool = False) -> None:
        if at_once or time.monotonic() - self._drawn > PAUSE:
            self._progress.update(self._task, now=now, refresh=True)
            self._drawn = time.monotonic()


@contextmanager
def watching() -> Iterator[Observer]:
    """Give an observer that tells a person on stderr: a bar needs a terminal."""
    if not stderr.is_terminal:
        yield Lines()
        return
    with Bar(stderr) as bar:
        yield bar


def duration(seconds: float) -> str:
    """Write so many seconds: "40 s", "3 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def ending(result: ExperimentResult) -> str:
    """Sum an experiment up in a line."""
    missing = sum(arm.unavailable is not None for arm in result.arms)
    left_out = f", {missing} left out" if missing else ""
    rounds = f"{result.rounds} round{'' if result.rounds == 1 else 's'}"
    return f"  {result.answer} ({len(result.arms) - missing} arms{left_out}, {rounds}: {result.ended_because})"
