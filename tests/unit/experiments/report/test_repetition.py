from __future__ import annotations

from experiments.report.repetition import repetition
from tests.unit.experiments.made_experiment import arm, experiment, finding
from tests.unit.experiments.made_result import environment, made_result

FIRST = made_result(
    experiments=[experiment("one", [arm("a", 1)], findings=[finding("a", "{}", 2), finding("b", "{}", 3)])]
)


def test_a_run_that_repeats_is_told_in_a_sentence() -> None:
    found = repetition(FIRST, FIRST)
    assert found.summary == "All 2 headline ratios of the second run lie inside the first run's 95 % intervals."
    assert [row.inside for row in found.rows] == [True, True]
    assert list(found.differences) == []


def test_what_does_not_repeat_comes_first() -> None:
    again = experiment("one", [arm("a", 1)], findings=[finding("a", "{}", 2.01), finding("b", "{}", 4)])
    found = repetition(FIRST, made_result(experiments=[again], environment=environment(cpu="another")))
    assert found.summary.startswith("1 of 2 headline ratios of the second run lie inside")
    assert [(row.name, row.inside) for row in found.rows] == [("b", False), ("a", True)]
    assert (found.rows[0].first, found.rows[0].second) == ("3.00 [2.94, 3.06]", "4.00 [3.92, 4.08]")
    assert any("another" in line for line in found.differences)


def test_runs_of_other_experiments_have_nothing_to_repeat() -> None:
    other = made_result(experiments=[experiment("two", [arm("a", 1)])])
    assert repetition(FIRST, other).summary == "The two runs have no headline ratio in common."
