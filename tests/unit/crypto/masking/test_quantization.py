"""Levels against numpy and exact fractions: nothing wraps, and nothing is further off than the bound says."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import MaskingError, MaskingTermsError, QuantizationError
from crypto.masking import Quantization

CENTS = Quantization.bounded(1000.0, 0.01)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def quantizations(draw: st.DrawFn) -> Quantization:
    """Any step that is not on the edge of the numbers, any levels."""
    step = draw(st.floats(1e-200, 1e200))
    return Quantization(step, draw(st.integers(1, 2**31 - 1)))


@given(quantizations(), st.lists(finite, min_size=1, max_size=20))
def test_a_decoded_number_is_as_near_as_the_bound_says(quantization: Quantization, numbers: list[float]) -> None:
    encoded = quantization.encode(numbers, len(numbers))
    decoded = quantization.numbers_of(quantization.levels_of(encoded, 1))
    for number, found in zip(numbers, decoded, strict=True):
        clipped = max(-quantization.bound, min(quantization.bound, number))
        assert abs(Fraction(float(found)) - Fraction(clipped)) <= Fraction(quantization.error_bound(1))


@given(quantizations(), st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32))
def test_a_decoded_sum_is_as_near_as_the_bound_says(
    quantization: Quantization, contributors: int, dimension: int, seed: int
) -> None:
    if contributors * quantization.levels > 2**31 - 1:
        with pytest.raises(MaskingTermsError, match="could sum up to more"):
            quantization.check_contributors(contributors)
        return
    quantization.check_contributors(contributors)
    generator = numpy.random.default_rng(seed)
    numbers = generator.uniform(-1.1 * quantization.bound, 1.1 * quantization.bound, (contributors, dimension))
    total = numpy.zeros(dimension, "<u4")
    for row in numbers:
        total += quantization.encode(row, dimension)
    found = quantization.numbers_of(quantization.levels_of(total, contributors))
    bound = quantization.bound
    for column, value in zip(numbers.T, found, strict=True):
        exact = sum((Fraction(max(-bound, min(bound, float(number)))) for number in column), Fraction(0))
        assert abs(Fraction(float(value)) - exact) <= Fraction(quantization.error_bound(contributors))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sum_does_not_wrap(sign: int) -> None:
    quantization = Quantization(1.0, 2**31 // 3)
    quantization.check_contributors(3)
    total = numpy.zeros(1, "<u4")
    for _ in range(3):
        total += quantization.encode([sign * 1e300], 1)
    assert quantization.levels_of(total, 3).tolist() == [sign * 3 * (2**31 // 3)]


def test_one_contributor_more_than_fits_is_refused() -> None:
    quantization = Quantization(1.0, (2**31 - 1) // 100)
    quantization.check_contributors(100)
    with pytest.raises(MaskingTermsError, match="101 contributors of 21474836 steps each"):
        quantization.check_contributors(101)


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=1, max_size=20))
def test_integers_are_exact(numbers: list[int]) -> None:
    quantization = Quantization(1.0, 2**31 - 1)
    encoded = quantization.encode(numbers, len(numbers))
    assert quantization.levels_of(encoded, 1).tolist() == numbers
    assert encoded.dtype == numpy.dtype("<u4")


def test_rounding_goes_to_the_nearest_and_ties_to_the_even() -> None:
    quantization = Quantization(1.0, 10)
    numbers = [0.5, 1.5, 2.5, -0.5, -1.5, 0.49, 9.6, 10.4, 11.0, -1e308]
    assert quantization.levels_of(quantization.encode(numbers, 10), 1).tolist() == [0, 2, 2, 0, -2, 0, 10, 10, 10, -10]


def test_decimal_steps_may_be_as_inexact_as_floats_are() -> None:
    assert (CENTS.step, CENTS.levels) == (0.01, 100_000)
    assert Quantization.bounded(0.3, 0.1).levels == 3
    assert CENTS.bound == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("bound", "step"),
    [
        (1.0, 0.3),
        (0.4, 1.0),
        (0.0, 1.0),
        (-1.0, 1.0),
        (1.0, 0.0),
        (1.0, -1.0),
        (1.0, math.nan),
        (math.nan, 1.0),
        (math.inf, 1.0),
        (1.0, math.inf),
        (1e300, 1e-300),
        (1e10, 1.0),
    ],
)
def test_bounds_that_are_no_steps_are_refused(bound: float, step: float) -> None:
    with pytest.raises(MaskingTermsError):
        Quantization.bounded(bound, step)


@pytest.mark.parametrize(
    ("step", "levels"), [(math.nan, 1), (0.0, 1), (-1.0, 1), (math.inf, 1), (1.0, 0), (1.0, 2**31), (1e308, 10)]
)
def test_steps_and_levels_out_of_range_are_refused(step: float, levels: int) -> None:
    with pytest.raises(MaskingTermsError):
        Quantization(step, levels)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_finite_number_is_refused(number: float) -> None:
    with pytest.raises(QuantizationError, match="infinite or not a number"):
        CENTS.encode([1.0, number], 2)


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 2.0]], 3.0, [1.0] * 3])
def test_another_shape_is_refused(values: list[float]) -> None:
    with pytest.raises(QuantizationError, match="one row of 2 numbers"):
        CENTS.encode(values, 2)


@pytest.mark.parametrize("values", [["a", "b"], [None, object()], [[1.0], [1.0, 2.0]], [1j, 2j], [10**400, 1]])
def test_what_is_no_number_is_refused(values: list[object]) -> None:
    with pytest.raises(QuantizationError):
        CENTS.encode(values, 2)  # type: ignore[arg-type]


def test_what_cannot_be_a_sum_is_refused() -> None:
    total = numpy.array([300_001], "<u4")
    with pytest.raises(MaskingError, match="did not cancel"):
        CENTS.levels_of(total, 3)
    with pytest.raises(MaskingError, match="did not cancel"):
        CENTS.levels_of(-total, 3)
    assert CENTS.levels_of(total, 4).tolist() == [300_001]
    assert CENTS.levels_of(total[:0], 4).tolist() == []


def test_the_callers_numbers_stay_as_they_are() -> None:
    numbers = numpy.array([0.123, 5000.0])
    CENTS.encode(numbers, 2)
    assert numbers.tolist() == [0.123, 5000.0]
