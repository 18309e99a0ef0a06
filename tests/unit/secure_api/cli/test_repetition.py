"""One request sent many times: what is kept of each, and what is said of all."""

from __future__ import annotations

import tracemalloc

import httpx
import pytest

from secure_api.cli.repetition import Repetition
from secure_api.client import REPORT, Report


def answered(status: int = 200) -> httpx.Response:
    """An answer with the report of an exchange."""
    report = Report(seconds={"sign": 0.001, "verify": 0.003}, bytes={"signature": 100, "answer's signature": 20})
    return httpx.Response(status, extensions={REPORT: report})


def test_a_request_costs_two_numbers_of_memory() -> None:
    done, times = Repetition(), 5_000
    done.repeat(10, answered)
    tracemalloc.start()
    try:
        done.repeat(times, answered)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 40 * times, "two numbers of 8 bytes, and what an array has in reserve"


def test_what_was_done_until_it_broke_off_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    answers, done = [answered(), answered()], Repetition()
    with pytest.raises(IndexError):
        done.repeat(5, lambda: answers.pop())
    done.summarize("signed by ed25519")
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("2 requests signed by ed25519: ")
    assert second == "to protect one took 4.00 ms here and 120 bytes"


def test_of_nothing_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Repetition().summarize("in a session")
    assert capsys.readouterr().err == ""


def test_the_first_failure_is_the_last_answer() -> None:
    answers, done = [answered(200), answered(404), answered(200)], Repetition()
    assert done.repeat(3, lambda: answers.pop(0)).status_code == 404
    assert len(done.seconds) == 2
