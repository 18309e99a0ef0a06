"""One request sent many times: a progress bar, and a summary of what it took."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from secure_api.cli.console import say, stderr
from secure_api.client import REPORT, Report

BAR_FROM: Final = 20  # requests


@dataclass(slots=True)
class Repetition:
    """Requests that were answered: the last answer, and of each its report and the seconds that it took."""

    last: httpx.Response
    reports: list[Report]
    seconds: list[float]


def repeat(times: int, send: Callable[[], httpx.Response]) -> Repetition:
    """Send a request so many times, or until an answer is no success, with a progress bar on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = stderr.is_terminal and times >= BAR_FROM
    reports, seconds = [], []
    with Progress(*columns, console=stderr, transient=True, disable=not shown) as bar:
        task = bar.add_task("", total=times)
        while True:
            began = time.perf_counter()
            response = send()
            seconds.append(time.perf_counter() - began)
            reports.append(response.extensions[REPORT])
            bar.advance(task)
            if len(seconds) == times or not response.is_success:
                return Repetition(response, reports, seconds)


def summarize(done: Repetition, how: str) -> None:
    """Say on stderr what requests took, in the middle and for most of them, and what protected them."""
    times, reports = sorted(done.seconds), done.reports
    own = sorted(sum(report.seconds.values()) for report in reports)
    size = sum(sum(report.bytes.values()) for report in reports) // len(reports)
    say(f"{len(times)} requests {how}: {_ms(times, 0.5)} ms in the middle, {_ms(times, 0.95)} ms or less for 95 of 100")
    say(f"to protect one took {_ms(own, 0.5)} ms here and {size} bytes")
    for made in (report.handshake for report in reports if report.handshake is not None):
        what = "a rekey" if made.rekey else "the handshake"
        say(f"{what} by {made.suite} took {made.seconds * 1e3:.2f} ms and bodies of {made.sent + made.received} bytes")


def _ms(ordered: Sequence[float], part: float) -> str:
    """Give the value below which this part of the values lies, in milliseconds."""
    return f"{ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1e3:.2f}"
