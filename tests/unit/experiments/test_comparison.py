"""Two results side by side."""

from __future__ import annotations

import pytest

from experiments.comparison import compare, compare_text
from experiments.result import ExperimentResult, Result
from tests.unit.experiments.made_result import environment, made_result, with_finding


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
    assert all(one.ratio is not None and one.ratio.value == 1 for one in found.figures)


def test_what_takes_twice_as_long_has_changed_and_nothing_else_has() -> None:
    before = made_result()
    name = an_arm(before.experiments[0])
    changed = [one for one in compare(before, scaled(before, name, 2)).figures if one.verdict == "changed"]
    assert [(one.name, one.kind) for one in changed] == [(name, "arm")]
    assert changed[0].ratio is not None
    assert changed[0].ratio.value == pytest.approx(2)
    assert 1 < changed[0].ratio.low < 2 < changed[0].ratio.high


@pytest.mark.parametrize("factor", [0.5, 0.95, 0.99, 0.999, 1.001, 1.01, 1.05, 2.0])
def test_the_interval_of_a_ratio_leaves_out_one_exactly_when_the_intervals_separate(factor: float) -> None:
    before = made_result()
    for one in compare(before, scaled(before, an_arm(before.experiments[0]), factor)).figures:
        assert one.ratio is not None
        assert (one.ratio.low <= 1 <= one.ratio.high) is (one.verdict == "no change shown"), one


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_what_reaches_zero_has_no_ratio_and_is_still_compared(low: float) -> None:
    before = with_finding(made_result(), value=1.0, low=low, high=2.0, unit="us", kind="amount")
    after = with_finding(made_result(), value=4.0, low=3.0, high=5.0, unit="us", kind="amount")
    for one, two in ((before, after), (after, before)):
        found = next(figure for figure in compare(one, two).figures if figure.kind == "headline")
        assert (found.ratio, found.verdict) == (None, "changed")
        assert any("\t\tchanged" in line for line in compare_text(one, two))


def test_what_tells_the_runs_apart_stands_first() -> None:
    before = made_result()
    after = made_result(
        scale="quick",
        environment=environment(
            cpu="Another",
            dirty=True,
            governor="powersave",
            hertz=3.1e9,
            libraries={"cryptography": "51.0.0"},
            native={},
        ),
    )
    lines = compare(before, after).differences
    assert "scale: full -> quick" in lines
    assert "processor: AMD EPYC 7B13 -> Another" in lines
    assert "clock: 2.60 GHz -> 3.10 GHz" in lines
    assert "governor: unknown -> powersave" in lines
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


@pytest.mark.parametrize("changes", [{"name": "renamed"}, {"unit": "KiB"}, {"headline": False}])
def test_headlines_that_only_one_has_are_named(changes: dict[str, object]) -> None:
    whole = made_result()
    experiment = whole.experiments[0]
    name = f"{experiment.name}: headline {experiment.findings[0].name}"
    found = compare(whole, with_finding(whole, **changes))
    assert [one.removesuffix(f" ({experiment.findings[0].unit})") for one in found.only_first] == [name]
    assert experiment.findings[0].name not in [one.name for one in found.figures if one.experiment == experiment.name]
