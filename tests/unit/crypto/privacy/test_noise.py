"""The noise has the distribution that is claimed, and is as much as the published formulas ask for."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, stats

from crypto import PrivacyError
from crypto.privacy import TAIL, PrivacyTerms, discrete_gaussian, epsilon_of, fitting_levels, rho_of
from crypto.privacy.noise import MAX_VARIANCE, tail_of

EPSILON, DELTA = 1.0, 1e-6
TERMS = PrivacyTerms(EPSILON, DELTA, 0.0178, honest=3)


@pytest.mark.parametrize("variance", [16, 1_000])
def test_draws_follow_the_discrete_gaussian(variance: int) -> None:
    """A chi-squared test that fails by chance once in a billion runs."""
    drawn = discrete_gaussian(20_000, variance)
    reach = math.isqrt(9 * variance)
    support = np.arange(-TAIL * reach, TAIL * reach + 1)
    weights = np.exp(-(support.astype(float) ** 2) / (2 * variance))
    probability = weights / weights.sum()
    edges = np.linspace(-2.5, 2.5, 21) * math.sqrt(variance)
    observed, _ = np.histogram(drawn, bins=[-np.inf, *edges, np.inf])
    expected = np.histogram(support, bins=[-np.inf, *edges, np.inf], weights=probability)[0] * len(drawn)
    assert stats.chisquare(observed, expected).pvalue > 1e-9
    assert np.abs(drawn).max() <= tail_of(variance)


def test_noise_of_a_large_variance_is_as_wide_as_it_says() -> None:
    drawn = discrete_gaussian(4_000, 10**20).astype(float) / 1e10
    assert abs(drawn.mean()) < 7 / math.sqrt(4_000)
    assert abs(drawn.std() - 1) < 7 / math.sqrt(2 * 4_000)


def test_noise_that_no_integer_holds_is_refused() -> None:
    with pytest.raises(PrivacyError, match="larger epsilon"):
        discrete_gaussian(1, MAX_VARIANCE + 1)


@pytest.mark.parametrize(("rho", "delta"), [(1e-4, 1e-6), (0.0178, 1e-6), (0.5, 1e-9), (20.0, 1e-5)])
def test_the_conversion_is_that_of_the_paper(rho: float, delta: float) -> None:
    """Canonne, Kamath and Steinke 2020, Proposition 7, minimized by scipy."""

    def epsilon(logarithm: float) -> float:
        alpha = 1 + math.exp(logarithm)
        return rho * alpha + math.log(1 / (alpha * delta)) / (alpha - 1) + math.log(1 - 1 / alpha)

    least = optimize.minimize_scalar(epsilon, bounds=(-8, 16), method="bounded").fun
    assert epsilon_of(rho, delta) == pytest.approx(least, rel=1e-3)
    assert rho_of(epsilon_of(rho, delta), delta) == pytest.approx(rho, rel=1e-4)
    assert epsilon_of(rho_of(least, delta), delta) <= least * (1 + 1e-9)


def test_numbers_that_make_no_sense_are_refused() -> None:
    assert epsilon_of(0.0, DELTA) == 0.0
    for rho, delta in ((-1.0, 0.1), (float("nan"), 0.1), (1.0, 0.0), (1.0, 1.0), (1e9, 0.1)):
        with pytest.raises(PrivacyError):
            epsilon_of(rho, delta)
    for epsilon, delta in ((0.0, 0.1), (float("inf"), 0.1), (1.0, 0.0)):
        with pytest.raises(PrivacyError):
            rho_of(epsilon, delta)


def test_three_parts_of_the_noise_are_what_the_theorem_asks_for() -> None:
    """Kairouz, Liu and Steinke 2021, Theorem 1, with its own tau."""
    for dimension, span in ((1, 50), (100, 5_000), (4_096, 100_000)):
        distance = TERMS.squared_distance(dimension, span, 1.0)
        assert distance == dimension * (2 * span) ** 2
        variance, honest = TERMS.variance(distance), TERMS.honest
        tau = 10 * sum(math.exp(-2 * math.pi**2 * variance * k / (k + 1)) for k in range(1, honest))
        squared = float(distance) / (honest * variance) + tau * dimension / 2
        assert squared / 2 <= TERMS.rho
        assert squared / 2 >= TERMS.rho * (1 - 1e-3)


def test_a_declared_sensitivity_is_less_noise_and_never_more() -> None:
    person = PrivacyTerms(EPSILON, DELTA, TERMS.rho, 3, sensitivity=0.5)
    whole, one = (terms.squared_distance(10, 1_000, 2.0) for terms in (TERMS, person))
    assert one == (Fraction(250) + 4) ** 2 < whole
    assert PrivacyTerms(EPSILON, DELTA, TERMS.rho, 3, sensitivity=1e9).squared_distance(10, 1_000, 2.0) == whole
    assert TERMS.squared_count_distance(7) == 98
    assert person.squared_count_distance(7) == Fraction(1, 4)


def test_levels_leave_room_for_the_noise_and_are_as_many_as_fit() -> None:
    most = 10**6
    levels, variance = fitting_levels(most, TERMS, lambda span: TERMS.squared_distance(4, span, 1.0))
    assert levels + tail_of(variance) <= most
    assert levels + 1 + tail_of(TERMS.variance(TERMS.squared_distance(4, levels + 1, 1.0))) > most
    with pytest.raises(PrivacyError, match="no room"):
        fitting_levels(1_000, TERMS, lambda span: TERMS.squared_distance(4_096, span, 1.0))


def test_what_a_server_declares_is_verified() -> None:
    declared = {"epsilon": EPSILON, "delta": DELTA, "rho": rho_of(EPSILON, DELTA)}
    parsed = PrivacyTerms.parse(declared | {"sensitivity": 2}, 5)
    assert parsed == PrivacyTerms(EPSILON, DELTA, declared["rho"], 5, 2.0)
    assert PrivacyTerms.parse(None, 5) is None
    with pytest.raises(PrivacyError, match="less privacy than"):
        PrivacyTerms.parse(declared | {"rho": declared["rho"] * 1.01}, 5)
    wrongs: list[object] = [
        [],
        {},
        declared | {"more": 1},
        declared | {"rho": 0},
        declared | {"delta": True},
        {"epsilon": 1},
    ]
    for wrong in wrongs:
        with pytest.raises(PrivacyError):
            PrivacyTerms.parse(wrong, 5)
