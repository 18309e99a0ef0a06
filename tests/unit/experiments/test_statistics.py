"""Medians and intervals: they cover what they promise, and drift that hits all arms does not widen a ratio."""

from __future__ import annotations

import random

import pytest

from experiments import Arm, Experiment, ExperimentError, Finding
from experiments.result import ArmResult, Sample
from experiments.statistics import Interval, answer, digits, evaluate, figure, interval, rounds


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


@pytest.mark.parametrize(
    ("found", "unit", "text"),
    [
        (Interval(0.1134, 0.11, 0.118), "", "0.113 [0.110, 0.118]"),
        (Interval(107.4, 99.2, 131.9), "us", "107 µs [99.2, 132]"),
        (Interval(1240, 1200, 1312), "us", "1.24 ms [1.20, 1.31]"),
        (Interval(2.5e6, 2.5e6, 2.5e6), "us", "2.50 s"),
        (Interval(0.4, 0.3, 0.5), "us", "0.400 µs [0.300, 0.500]"),
        (Interval(3309, 3309, 3309), "requests", "3,309 requests"),
        (Interval(1 << 21, 1 << 21, 1 << 21), "B", "2.00 MiB"),
        (Interval(0, 0, 0), "B", "0 B"),
    ],
)
def test_figures_are_written_for_people(found: Interval, unit: str, text: str) -> None:
    assert figure(found, unit) == text


@pytest.mark.parametrize(
    ("number", "text"), [(-12.34, "-12.3"), (0.0123, "0.0123"), (0.00012, "0.00012"), (99.96, "100")]
)
def test_numbers_keep_three_digits(number: float, text: str) -> None:
    assert digits(number) == text
