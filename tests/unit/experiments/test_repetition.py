"""A second run beside the first: which headline ratios it repeats, and which it does not have."""

from __future__ import annotations

from experiments.repetition import not_repeated, repeats
from tests.unit.experiments.made_result import made_result, with_finding


def test_headline_ratios_that_the_second_run_lacks_are_named() -> None:
    whole = with_finding(made_result(), headline=True, kind="ratio")
    first, *others = whole.experiments
    assert not_repeated(whole, whole) == []
    assert not_repeated(whole, with_finding(whole, name="renamed")) == [f"{first.name}/{first.findings[0].name}"]
    lost = not_repeated(whole, whole.model_copy(update={"experiments": others}))
    assert f"{first.name}/{first.findings[0].name}" in lost
    assert {one.partition("/")[0] for one in lost} == {first.name}


def test_a_ratio_may_lie_outside_although_the_intervals_overlap() -> None:
    before = with_finding(made_result(), kind="ratio", headline=True, value=2.0, low=1.9, high=2.1)
    for low, apart in ((2.05, False), (2.15, True)):
        (found, *_) = repeats(before, with_finding(before, value=2.2, low=low, high=2.3))
        assert (found.inside, found.apart) == (False, apart)


def test_a_headline_ratio_outside_the_first_interval_is_told() -> None:
    before = made_result()
    number, experiment = next(
        (n, e) for n, e in enumerate(before.experiments) if any(f.kind == "ratio" and f.headline for f in e.findings)
    )
    finding = next(one for one in experiment.findings if one.kind == "ratio" and one.headline)
    moved = finding.model_copy(update={"value": finding.high * 1.01, "high": finding.high * 1.02})
    again = experiment.model_copy(
        update={"findings": [moved if one.name == finding.name else one for one in experiment.findings]}
    )
    experiments = [again if n == number else e for n, e in enumerate(before.experiments)]
    found = repeats(before, before.model_copy(update={"experiments": experiments}))
    assert [one.name for one in found if not one.inside] == [finding.name]
    assert all(one.inside for one in repeats(before, before))
