"""What an arm is fed with is made before the clock runs, and is the same for every arm."""

from __future__ import annotations

from itertools import count, islice

import pytest

from experiments.behavior.fed import Fed
from experiments.behavior.traffic import requests, vectors
from experiments.errors import CheckFailed


def test_every_call_has_the_next_item_and_only_the_window_is_timed() -> None:
    taken: list[int] = []
    ticks = iter([(1.0, 10.0), (3.0, 14.0)])
    reading = Fed(taken.append, count(), lambda: None, lambda: next(ticks)).measure(8)
    assert taken == list(range(10))
    assert (reading.loops, reading.cpu, reading.wall) == (8, 250_000.0, 500_000.0)
    assert 0 <= reading.extra["latency_p50"] <= reading.extra["latency_p99"]


def test_what_does_not_do_its_work_fails_the_check() -> None:
    def wrong() -> None:
        raise KeyError("no score")

    with pytest.raises(CheckFailed, match="no score"):
        Fed(print, count(), wrong).check()


def test_traffic_goes_on_for_ever_and_time_with_it() -> None:
    rows = list(islice(requests(0.3), 30_000))
    times = [event.time for event in rows]
    assert times == sorted(times)
    assert times[-1] - times[0] > 0.3 * 86_400
    assert list(islice(vectors(0.3), 3)) == list(islice(vectors(0.3), 3))
