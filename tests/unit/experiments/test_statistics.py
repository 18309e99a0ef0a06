"""Medians and intervals: they cover what they promise, and drift that hits all arms does not widen a ratio."""

from __future__ import annotations

import math
import random
import sys

import pytest

from experiments import Arm, DefinitionError, Experiment, ExperimentError, Finding
from experiments.result import ArmResult, Sample
from experiments.statistics import Interval, answer, evaluate, interval, rounds


def arm(name: str, cpu: list[float], **extra: float) -> ArmResult:
    samples = [
        Sample(round=number, place=0, loops=1, cpu=value, wall=value, load=0, extra=extra)
        for number, value in enumerate(cpu, 1)
    ]
    return ArmResult(name=name, factors={}, process="main", samples=samples)


def experiment(text: str, *findings: Finding) -> Experiment:
    return Experiment(
        name="sums",
        title="Sums",
        question="What is it?",
        topic=19,
        held_fixed=(),
        arms=lambda _: [Arm("a", lambda setting: pytest.fail(str(setting)))],
        findings=findings,
        answer=text,
    )


RATIO = Finding("ratio", lambda r: r["slow"] / r["fast"], "Slow takes {value} of fast.")


def test_an_interval_covers_the_median_about_as_often_as_it_says() -> None:
    source = random.Random(7)
    runs = [interval([source.lognormvariate(0, 0.3) for _ in range(15)], seed) for seed in range(300)]
    covered = sum(found.low <= 1 <= found.high for found in runs) / len(runs)
    assert 0.88 <= covered <= 0.995
    assert all(found.low <= found.value <= found.high for found in runs)


def test_an_interval_follows_from_its_seed() -> None:
    values = [3.1, 2.9, 3.4, 3.0, 5.0, 2.8]
    assert interval(values, 3) == interval(values, 3)
    assert interval(values, 3).value == 3.05


@pytest.mark.parametrize("values", [[2.5], [2.5, 2.5, 2.5]])
def test_what_does_not_vary_has_no_width(values: list[float]) -> None:
    assert interval(values) == Interval(2.5, 2.5, 2.5)


def test_nothing_has_no_median() -> None:
    with pytest.raises(ExperimentError, match="nothing"):
        interval([])


def test_a_drift_that_hits_all_arms_does_not_widen_their_ratio() -> None:
    drift = [1 + number / 5 for number in range(20)]
    found = evaluate(RATIO, [arm("slow", [200 * one for one in drift]), arm("fast", [100 * one for one in drift])])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))
    assert found.sentence == "Slow takes 2.00 of fast."


def test_a_ratio_whose_interval_holds_one_is_no_difference() -> None:
    source = random.Random(5)
    one, two = ([source.gauss(100, 10) for _ in range(12)] for _ in range(2))
    found = evaluate(RATIO, [arm("slow", one), arm("fast", two)])
    assert found is not None
    assert found.low <= 1 <= found.high
    assert not found.shown
    assert found.sentence.startswith("No difference shown (")


def test_rounds_that_lack_an_arm_are_left_out_of_what_needs_it() -> None:
    arms = [arm("slow", [4, 6, 9]), arm("fast", [2, 3])]
    assert len(rounds(arms, "cpu")) == 3
    found = evaluate(RATIO, arms)
    assert found is not None
    assert found.value == 2
    assert evaluate(RATIO, arms[:1]) is None


def test_a_formula_reads_other_quantities_by_name() -> None:
    size = Finding("size", lambda r: r["slow", "sent_bytes"] - r["slow"], "{value}", kind="amount", unit="B")
    found = evaluate(size, [arm("slow", [10, 10], sent_bytes=2058)])
    assert found is not None
    assert (found.value, found.sentence, found.shown) == (2048, "2.00 KiB", True)


def test_an_arm_that_took_no_time_is_no_divisor() -> None:
    with pytest.raises(ExperimentError, match="ratio divides by zero"):
        evaluate(RATIO, [arm("slow", [1]), arm("fast", [0])])


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (Finding("odd", lambda r: math.sqrt(-r["slow"]), "{value}"), "finding odd: ValueError: "),
        (Finding("odd", lambda r: r["slow"] * math.inf, "{value}"), "finding odd gives inf"),
        (Finding("odd", lambda r: r["slow"] * math.nan, "{value}"), "finding odd gives nan"),
    ],
)
def test_a_formula_that_gives_no_figure_is_named(finding: Finding, why: str) -> None:
    with pytest.raises(DefinitionError, match=why) as refused:
        evaluate(finding, [arm("slow", [4, 5])])
    assert "\n" not in str(refused.value)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)  # as if it were not installed
    with pytest.raises(ExperimentError, match=r"secure-api\[experiments\]") as refused:
        interval([1, 2])
    assert "\n" not in str(refused.value)


def test_a_difference_that_was_shown_is_not_written_as_one() -> None:
    found = evaluate(RATIO, [arm("slow", [100.3, 100.4, 100.5, 100.4]), arm("fast", [100, 100, 100, 100])])
    assert found is not None
    assert (found.shown, found.sentence) == (True, "Slow takes 1.004 [1.003, 1.005] of fast.")


def test_an_answer_leaves_out_the_sentences_whose_arms_were_not_measured() -> None:
    other = Finding("other", lambda r: r["absent"] / r["fast"], "{value}")
    asked = experiment("It takes {ratio} times. By the other library {other} times.", RATIO, other)
    found = evaluate(RATIO, [arm("slow", [4, 4]), arm("fast", [2, 2])])
    assert found is not None
    assert answer(asked, [found]) == "It takes 2.00 times."
    assert answer(asked, []).startswith("Not answered here")


def test_an_answer_says_of_a_ratio_that_no_difference_was_shown() -> None:
    asked = experiment("It takes {ratio}.", RATIO)
    found = evaluate(RATIO, [arm("slow", [9.9, 10.1, 10, 10.2]), arm("fast", [10, 10, 10, 10])])
    assert found is not None
    assert "no difference shown (1.0" in answer(asked, [found])
