"""Bounds of masked studies that are narrow, wide, or far from zero: a result is within the bound that it names."""

from __future__ import annotations

from fractions import Fraction

import numpy
import pytest

from crypto.errors import MaskingTermsError
from crypto.masking.parameters import MaskedStudy

ROSTER = [letter * 43 for letter in "ABCD"]


def study(low: float, high: float) -> MaskedStudy:
    return MaskedStudy.parse("s", 5, low, high, 3, {"roster": ROSTER})


@pytest.mark.parametrize("statistic", ["sum", "mean"])
@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 90), (1e6, 1e6 + 1), (1e15, 1e15 + 1), (-1e16, -1e16 + 6), (1.0, 1.0000000000000002), (-1e300, 1e300)],
)
def test_a_statistic_is_as_near_as_its_bound_says(statistic: str, low: float, high: float) -> None:
    masked, random = study(low, high), numpy.random.default_rng(7)
    quantization = masked.terms.quantization
    between = low + (high - low) * random.random((len(ROSTER), 3))
    rows = [random.permutation([low, high, *numpy.clip(row, low, high)]) for row in between]
    levels = sum(quantization.levels_of(quantization.encode(masked.encode(row), 5), 1) for row in rows)
    values, bound = masked.decode(quantization.numbers_of(numpy.asarray(levels)), len(rows), statistic)
    for found, column in zip(values, numpy.transpose(rows), strict=True):
        exact = sum(map(Fraction, column.tolist()), Fraction()) / (len(rows) if statistic == "mean" else 1)
        assert abs(Fraction(float(found)) - exact) <= Fraction(bound)


@pytest.mark.parametrize(("low", "high"), [(0, 5e-324), (0, 1e-314), (-1e-310, 1e-310)])
def test_bounds_without_room_for_steps_are_refused(low: float, high: float) -> None:
    with pytest.raises(MaskingTermsError, match="too close"):
        study(low, high)


@pytest.mark.parametrize(("low", "high"), [(0, 1.7e308), (-8e307, 8e307), (1e308, 1.1e308)])
def test_bounds_whose_sum_would_be_infinite_are_refused(low: float, high: float) -> None:
    with pytest.raises(MaskingTermsError, match="too large"):
        study(low, high)
