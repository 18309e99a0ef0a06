"""Ours beside published figures: scaled by clock, told apart beyond a factor of two, and ordered as they are."""

from __future__ import annotations

import pytest

from experiments.published import UNKNOWN, UNSCALED, beside, orders
from experiments.result import ArmResult, ExperimentResult, PublishedFigure, Sample
from tests.unit.experiments.made_result import made_result

HERTZ = 2e9


def arm(name: str, cpu: float, operation: str = "verify", **extra: float) -> ArmResult:
    sample = Sample(round=1, place=0, loops=1, cpu=cpu, wall=cpu, load=0, extra=extra)
    return ArmResult(name=name, factors={"operation": operation}, process="main", samples=[sample])


def figure(arm: str, value: float, unit: str = "us", quantity: str = "cpu", **more: object) -> PublishedFigure:
    fields = {"source": "A paper", "machine": "", "hertz": None, "reason": ""} | more
    return PublishedFigure.model_validate({"arm": arm, "figure": value, "unit": unit, "quantity": quantity, **fields})


def experiment(arms: list[ArmResult], published: list[PublishedFigure]) -> ExperimentResult:
    return made_result().experiments[0].model_copy(update={"arms": arms, "published": published})


@pytest.mark.parametrize(
    ("published", "factor"),
    [
        (figure("a", 50_000, "cycles"), 0.8),  # 20 us at 2 GHz are 40,000 cycles
        (figure("a", 10, hertz=4e9), 1.0),  # twice the clock, half the time
        (figure("a", 10), 2.0),
        (figure("a", 3309, "bytes", "signature_bytes"), 1.0),
    ],
)
def test_ours_is_scaled_to_their_clock(published: PublishedFigure, factor: float) -> None:
    (found,) = beside(experiment([arm("a", 20, signature_bytes=3309)], [published]), HERTZ)
    assert found.factor == pytest.approx(factor)
    assert found.agrees
    assert found.reason == ""


def test_beyond_a_factor_of_two_a_reason_is_given_or_said_to_be_unknown() -> None:
    published = [figure("a", 9), figure("a", 41, reason="theirs is portable code")]
    first, second = beside(experiment([arm("a", 20)], published), HERTZ)
    assert (first.agrees, first.reason) == (False, UNKNOWN)
    assert (second.agrees, second.reason) == (False, "theirs is portable code")


def test_a_size_that_is_off_by_one_does_not_agree() -> None:
    (found,) = beside(
        experiment([arm("a", 1, signature_bytes=3310)], [figure("a", 3309, "bytes", "signature_bytes")]), 1e9
    )
    assert not found.agrees


def test_a_size_that_varies_does_not_agree_although_its_median_does() -> None:
    sizes = [3309, 3309, 3308]
    samples = [arm("a", 1, signature_bytes=size).samples[0] for size in sizes]
    varying = arm("a", 1).model_copy(update={"samples": samples})
    (found,) = beside(experiment([varying], [figure("a", 3309, "bytes", "signature_bytes")]), 1e9)
    assert (found.ours, found.factor, found.agrees) == (3309, 1.0, False)


@pytest.mark.parametrize("unit", ["us", "cycles", "bytes"])
def test_a_published_zero_is_no_divisor(unit: str) -> None:
    (found,) = beside(experiment([arm("a", 20, size=1)], [figure("a", 0, unit, "size")]), HERTZ)
    assert (found.factor, found.agrees, found.reason) == (None, False, UNKNOWN)


@pytest.mark.parametrize("published", [figure("a", 100, "cycles"), figure("a", 100, hertz=1e9)])
def test_without_our_clock_nothing_is_scaled_and_nothing_agrees(published: PublishedFigure) -> None:
    (found,) = beside(experiment([arm("a", 20)], [published]), None)
    assert (found.factor, found.agrees, found.ours, found.reason) == (None, False, 20, UNSCALED)


def test_figures_of_arms_or_quantities_that_were_not_measured_are_left_out() -> None:
    unmeasured = ArmResult(name="b", factors={}, process="main", unavailable="no library")
    published = [figure("b", 1), figure("none", 1), figure("a", 1, "bytes", "signature_bytes")]
    assert beside(experiment([arm("a", 1), unmeasured], published), HERTZ) == []
    assert orders(experiment([arm("a", 1), unmeasured], published)) == []


def test_pairs_that_stand_the_other_way_round_are_named() -> None:
    arms = [arm("a", 1), arm("b", 3), arm("c", 2), arm("s", 9, "sign")]
    published = [figure(name, value) for name, value in (("a", 10), ("b", 20), ("c", 30), ("s", 40))]
    (found,) = orders(experiment(arms, published))
    assert (found.operation, found.theirs, found.swapped) == ("verify", ("a", "b", "c"), (("b", "c"),))
    assert not found.agrees
    (same,) = orders(experiment(arms, published[:2]))
    assert same.agrees
