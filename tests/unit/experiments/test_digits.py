"""Figures are written for people: with the decimals that their intervals allow."""

from __future__ import annotations

import pytest

from experiments.digits import digits, figure
from experiments.statistics import Interval


@pytest.mark.parametrize(
    ("found", "unit", "text"),
    [
        (Interval(0.1134, 0.11, 0.118), "", "0.113 [0.110, 0.118]"),
        (Interval(107.4, 99.2, 131.9), "us", "107 µs [99, 132]"),
        (Interval(1.004, 1.002, 1.006), "", "1.004 [1.002, 1.006]"),
        (Interval(0.9996, 0.9991, 0.9999), "", "0.9996 [0.9991, 0.9999]"),
        (Interval(2, 2 - 1e-15, 2 + 1e-15), "", "2.00"),
        (Interval(1.2, 1.01, 2.8), "", "1.20 [1.01, 2.80]"),
        (Interval(1.2, 1.004, 2.8), "", "1.200 [1.004, 2.800]"),
        (Interval(0.7, 0.2, 0.96), "", "0.70 [0.20, 0.96]"),
        (Interval(1.2, 1, 2.8), "", "1.2 [1.0, 2.8]"),
        (Interval(1, 1 - 1e-15, 1 + 1e-15), "", "1.00"),
        (Interval(1.2, 1.01, 2.8), "us", "1.2 µs [1.0, 2.8]"),
        (Interval(0.5, -0.2, 1.1), "us", "0.5 µs [-0.2, 1.1]"),
        (Interval(40, -0.2, 190), "us", "40 µs [0, 190]"),
        (Interval(999.96, 998, 1001), "us", "1.000 ms [0.998, 1.001]"),
        (Interval(1240, 1200, 1312), "us", "1.24 ms [1.20, 1.31]"),
        (Interval(2.5e6, 2.5e6, 2.5e6), "us", "2.50 s"),
        (Interval(0.4, 0.3, 0.5), "us", "0.40 µs [0.30, 0.50]"),
        (Interval(3309, 3309, 3309), "requests", "3,309 requests"),
        (Interval(1 << 21, 1 << 21, 1 << 21), "B", "2.00 MiB"),
        (Interval(0, 0, 0), "B", "0 B"),
    ],
)
def test_figures_are_written_for_people(found: Interval, unit: str, text: str) -> None:
    assert figure(found, unit) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-12.34, "-12.3"),
        (0.0123, "0.0123"),
        (0.00012, "0.000120"),
        (0.0000012, "0.00000120"),
        (99.96, "100"),
        (999.96, "1,000"),
        (0, "0"),
        (-1e-20, "0.000000000000"),
    ],
)
def test_numbers_keep_three_digits(number: float, text: str) -> None:
    assert digits(number) == text
