from __future__ import annotations

from experiments.report.published_table import PublishedTable, published_table
from experiments.result import PublishedFigure
from tests.unit.experiments.made_experiment import arm, experiment

FIELDS = {"unit": "us", "quantity": "cpu", "source": "a paper", "machine": "theirs", "hertz": 2.6e9, "reason": ""}


def published(name: str, figure: float, **changes: object) -> PublishedFigure:
    return PublishedFigure.model_validate(FIELDS | {"arm": name, "figure": figure} | changes)


def table(*figures: PublishedFigure) -> PublishedTable:
    arms = [
        arm("fast", 10, {"operation": "sign"}, {"signature_bytes": 64}, rounds=1),
        arm("slow", 100, {"operation": "sign"}, {"signature_bytes": 3309}, rounds=1),
    ]
    return published_table(experiment("one", arms, published=list(figures)), 2.6e9)


def test_each_source_has_its_table_with_the_order_and_what_agrees() -> None:
    found = table(published("fast", 10), published("slow", 90), published("fast", 11, source="a talk"))
    paper, talk = found.groups
    assert (paper.source, paper.machine, paper.unit) == ("a paper", "theirs", "µs")
    assert [row.arm for row in paper.rows] == ["fast", "slow"]
    assert list(paper.notes) == ["The order is the same: sign.", "2 of 2 figures within a factor of 2."]
    assert list(talk.notes) == ["1 of 1 figures within a factor of 2."]
    assert found.sizes == ""


def test_a_figure_that_is_far_off_has_a_reason_or_is_told_to_have_none() -> None:
    (known,) = table(published("fast", 100, reason="a faster core")).groups
    assert known.notes[-1] == "More than a factor of 2 apart: fast. Reason: a faster core."
    (unknown,) = table(published("fast", 100)).groups
    assert unknown.notes[-1].endswith("Reason: no reason is known.")
    assert not unknown.rows[0].agrees
    assert float(unknown.rows[0].factor) < 0.2


def test_another_order_is_told() -> None:
    (found,) = table(published("fast", 100), published("slow", 10)).groups
    assert found.notes[0] == "The order is another (sign): fast and slow stand the other way round with us."


def test_sizes_are_told_in_a_sentence() -> None:
    size = {"unit": "bytes", "quantity": "signature_bytes", "hertz": None, "source": "FIPS 204"}
    found = table(published("slow", 3309, **size), published("fast", 63, **size))
    assert found.groups == []
    assert found.sizes == (
        "1 of 2 are as published (FIPS 204). fast: signature 64 B, published 63 B (no reason is known)."
    )


def test_an_order_is_told_with_the_machine_that_it_is_of() -> None:
    new = [published("fast", 10, machine="new"), published("slow", 90, machine="new")]
    old = [published("fast", 10, machine="old")]
    one, other = table(*new, *old).groups
    assert (one.machine, list(one.notes)) == (
        "new",
        ["The order is the same: sign.", "2 of 2 figures within a factor of 2."],
    )
    assert (other.machine, list(other.notes)) == ("old", ["1 of 1 figures within a factor of 2."])
