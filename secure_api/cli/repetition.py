"""One request sent many times: a progress bar, and a summary of what it took."""

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from secure_api.cli.console import say, stderr
from secure_api.client import REPORT, Report
from secure_api.client.report import HandshakeReport

BAR_FROM: Final = 20  # requests


def _floats() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class Repetition:
    """Requests that were answered: what they took, and the handshakes that went ahead of some.

    `seconds` are those of each from the first byte to the last, `own` those of them that protecting it took here;
    `bytes` is the sum of what protected all.
    """

    seconds: "array[float]" = field(default_factory=_floats)
    own: "array[float]" = field(default_factory=_floats)
    bytes: int = 0
    handshakes: list[HandshakeReport] = field(default_factory=list)

    def repeat(self, times: int, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request so many times, or until an answer is no success, with a progress bar on a terminal.

        Returns the last answer. Whatever ends it early, what was answered until then stays here.
        """
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        shown = stderr.is_terminal and times >= BAR_FROM
        with Progress(*columns, console=stderr, transient=True, disable=not shown) as bar:
            task = bar.add_task("", total=times)
            while True:
                began = time.perf_counter()
                response = send()
                self._add(response, time.perf_counter() - began)
                bar.advance(task)
                if len(self.seconds) == times or not response.is_success:
                    return response

    def summarize(self, how: str) -> None:
        """Say on stderr what requests took, in the middle and for most of them, and what protected them.

        Nothing when nothing was answered.
        """
        if (count := len(self.seconds)) == 0:
            return
        times, own = sorted(self.seconds), sorted(self.own)
        said = f"{_ms(times, 0.5)} ms in the middle, {_ms(times, 0.95)} ms or less for 95 of 100"
        say(f"{count} requests {how}: {said}")
        say(f"to protect one took {_ms(own, 0.5)} ms here and {self.bytes // count} bytes")
        for made in self.handshakes:
            what = "a rekey" if made.rekey else "the handshake"
            size = made.sent + made.received
            say(f"{what} by {made.suite} took {made.seconds * 1e3:.2f} ms and bodies of {size} bytes")

    def _add(self, response: httpx.Response, seconds: float) -> None:
        report: Report = response.extensions[REPORT]
        self.seconds.append(seconds)
        self.own.append(sum(report.seconds.values()))
        self.bytes += sum(report.bytes.values())
        if report.handshake is not None:
            self.handshakes.append(report.handshake)


def _ms(ordered: Sequence[float], part: float) -> str:
    """Give the value below which this part of the values lies, in milliseconds."""
    return f"{ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1e3:.2f}"
