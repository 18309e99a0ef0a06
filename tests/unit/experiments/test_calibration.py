"""Windows are long enough, and a clock that does not measure is found out."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
import time

import pytest

from experiments import Operation, Reading, TimerFault
from experiments.calibration import calibrate, examine, repeats_itself, seconds
from experiments.subject import Clock, process_clock

WINDOW = 0.002
COUNT = itertools.count()


def operation(clock: Clock = process_clock, size: int = 1024) -> Operation:
    data = bytes(size)
    return Operation(lambda: hashlib.sha256(data).digest(), lambda _: None, clock=clock)


def test_a_window_is_filled_by_a_power_of_two_of_operations() -> None:
    subject = operation()
    loops = calibrate(subject.measure, WINDOW)
    assert loops.bit_count() == 1
    shortest = min(seconds(subject.measure(loops))[1] for _ in range(20))
    assert shortest > WINDOW / 4  # it was filled when it was calibrated; this machine is not always as slow


def test_an_operation_longer_than_a_window_is_done_once() -> None:
    assert calibrate(operation(size=16_000_000).measure, WINDOW) == 1


def test_a_shorter_operation_gets_more_loops() -> None:
    assert calibrate(operation(size=64).measure, WINDOW) > calibrate(operation(size=1 << 18).measure, WINDOW)


def test_a_number_of_loops_that_the_arm_sets_is_kept() -> None:
    asked = []

    def measure(loops: int) -> Reading:
        asked.append(loops)
        return operation().measure(loops)

    assert calibrate(measure, WINDOW, 60) == 60
    assert set(asked) <= {60 << doublings for doublings in range(6)}


@pytest.mark.parametrize(
    ("clock", "fault"),
    [
        (lambda: (1.0, 1.0), "its clock stands still"),
        (lambda: (1.0, time.perf_counter()), "its CPU clock stands still"),
        (lambda: (time.process_time(), 0.0), "its clock stands still"),
        (lambda: (next(COUNT) * 0.003,) * 2, "its CPU clock shows a constant"),
        (lambda: (time.process_time(), next(COUNT) * 0.003), "its wall clock shows a constant"),
        (lambda: (time.perf_counter() * 1000, time.perf_counter()), "of CPU time in .* more than all cores have"),
        (lambda: (time.process_time(), time.perf_counter() * 1e6), "where no more than .* passed"),
        (lambda: (-time.perf_counter(), time.perf_counter()), "which no clock does"),
    ],
)
def test_a_clock_that_does_not_measure_is_found_out(clock: Clock, fault: str) -> None:
    with pytest.raises(TimerFault, match=fault):
        calibrate(operation(clock).measure, WINDOW)


@pytest.mark.parametrize("loops", [None, 60])
def test_an_arm_that_does_the_same_work_whatever_it_is_asked_is_found_out(loops: int | None) -> None:
    source = random.Random(1)

    def measure(loops: int) -> Reading:
        cpu, wall = (10_000 * source.uniform(1, 1.1) for _ in range(2))
        return Reading(loops, cpu / loops, wall / loops)

    with pytest.raises(TimerFault, match="its CPU clock does not grow with the work"):
        calibrate(measure, 0.0001, loops)


@pytest.mark.parametrize("loops", [None, 60])
def test_readings_that_are_the_same_for_every_window_are_found_out(loops: int | None) -> None:
    with pytest.raises(TimerFault, match="constant"):
        calibrate(lambda loops: Reading(loops, 5.3, 6.1), 0.0001, loops)


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0])
def test_what_is_no_time_is_no_reading(number: float) -> None:
    with pytest.raises(TimerFault, match="no clock does"):
        examine(Reading(1, 1.0, number))
    with pytest.raises(TimerFault, match="no clock does"):
        examine(Reading(1, number, 1.0))


def test_a_sound_reading_is_given_back() -> None:
    reading = Reading(4, 10.0, 12.0, {"bytes": 3.0})
    assert examine(reading) is reading


@pytest.mark.parametrize("name", ["CPU", "wall"])
def test_a_clock_that_shows_the_same_in_every_round_is_found_out(name: str) -> None:
    readings = [(1.0, number + 1.0) if name == "CPU" else (number + 1.0, 1.0) for number in range(3)]
    assert f"its {name} clock shows a constant" in str(repeats_itself(readings))
    assert repeats_itself(readings[:2]) is None
    assert repeats_itself([*readings, (7.0, 7.0)]) is None
