"""Two results side by side."""

from __future__ import annotations

from experiments.comparison import compare, compare_text, repeats
from experiments.result import ExperimentResult, Result
from tests.unit.experiments.made_result import environment, made_result


def scaled(result: Result, arm: str, factor: float) -> Result:
    """The same result, but one arm of the first experiment takes so many times as long."""
    first, *others = result.experiments
    arms = [
        one.model_copy(
            update={"samples": [sample.model_copy(update={"cpu": sample.cpu * factor}) for sample in one.samples]}
        )
        if one.name == arm
        else one
        for one in first.arms
    ]
    return result.model_copy(update={"experiments": [first.model_copy(update={"arms": arms}), *others]})


def an_arm(experiment: ExperimentResult) -> str:
    return next(arm.name for arm in experiment.arms if arm.samples)


def test_a_result_differs_in_nothing_from_itself() -> None:
    found = compare(made_result(), made_result())
    assert found.differences == found.only_first == found.only_second == ()
    assert {one.verdict for one in found.figures} == {"no change shown"}
    assert all(one.ratio == 1 for one in found.figures)


def test_what_takes_twice_as_long_has_changed_and_nothing_else_has() -> None:
    before = made_result()
    name = an_arm(before.experiments[0])
    changed = [one for one in compare(before, scaled(before, name, 2)).figures if one.verdict == "changed"]
    assert [(one.name, one.kind) for one in changed] == [(name, "arm")]
    assert changed[0].ratio is not None
    assert abs(changed[0].ratio - 2) < 1e-9


def test_what_tells_the_runs_apart_stands_first() -> None:
    before = made_result()
    after = made_result(
        scale="quick",
        environment=environment(cpu="Another", dirty=True, libraries={"cryptography": "51.0.0"}, native={}),
    )
    lines = compare(before, after).differences
    assert "scale: full -> quick" in lines
    assert "processor: AMD EPYC 7B13 -> Another" in lines
    assert "cryptography: 50.0.2 -> 51.0.0" in lines
    assert "liboqs: 0.16.0 -> absent" in lines
    assert "revision: 8f4734fd0c -> 8f4734fd0c with changes" in lines
    assert compare_text(before, after)[0] == f"differs: {lines[0]}"


def test_arms_that_only_one_has_are_named() -> None:
    whole = made_result()
    first, *others = whole.experiments
    fewer = whole.model_copy(update={"experiments": [first.model_copy(update={"arms": first.arms[1:]}), *others]})
    name = f"{first.name}: {first.arms[0].name}"
    assert compare(whole, fewer).only_first == (name,)
    assert compare(fewer, whole).only_second == (name,)
    assert compare_text(fewer, whole)[-1] == f"only in the second: {name}"


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
