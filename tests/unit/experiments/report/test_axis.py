from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from experiments.report.axis import MOST, round_numbers, scale
from experiments.report.numbers import tick
from experiments.statistics import Interval


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (8.0, 120_000.0, [10.0, 100.0, 1000.0, 10000.0, 100000.0]),
        (20.0, 1200.0, [30.0, 100.0, 300.0, 1000.0]),
        (15.0, 120.0, [20.0, 50.0, 100.0]),
        (95.0, 190.0, [100.0, 150.0]),
    ],
)
def test_a_logarithmic_axis_has_a_few_round_numbers(low: float, high: float, numbers: list[float]) -> None:
    assert round_numbers(low, high) == pytest.approx(numbers)


def test_a_very_wide_axis_skips_powers() -> None:
    assert len(round_numbers(1.0, 1e12)) <= MOST


def test_a_linear_axis_begins_at_zero() -> None:
    axes = Figure().add_subplot()
    scale([Interval(90, 80, 100)], axes, "x", "us", 150, log=False)
    assert list(axes.get_xlim()) == pytest.approx([0.0, 106.0])


def test_a_linear_axis_of_what_is_less_than_nothing_begins_below() -> None:
    axes = Figure().add_subplot()
    scale([Interval(-2, -4, -1)], axes, "y", "us", 150, log=False)
    low, high = axes.get_ylim()
    assert low < -4
    assert high > 0


def test_a_logarithmic_axis_leaves_room_at_both_ends() -> None:
    axes = Figure().add_subplot()
    scale([Interval(20, 10, 40), Interval(700, 500, 1000)], axes, "y", "us", 150, log=True)
    assert axes.get_yscale() == "log"
    assert list(axes.get_ylim()) == pytest.approx([8.0, 1250.0])


def test_numbers_that_would_touch_each_other_are_left_out() -> None:
    def numbers(room: float) -> list[str]:
        axes = Figure().add_subplot()
        scale([Interval(20, 10, 2e5)], axes, "x", "us", room, log=True)
        return [tick(float(place), "us") for place in axes.get_xticks()]

    assert numbers(300) == ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms"]
    assert numbers(120) == ["10 µs", "1 ms", "100 ms"]
