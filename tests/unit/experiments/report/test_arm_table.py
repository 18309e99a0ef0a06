from __future__ import annotations

from experiments.report.arm_table import MANY, Group, arm_table, bounds, extras_of
from experiments.report.intervals import Intervals
from experiments.result import ExperimentResult
from experiments.statistics import Interval
from tests.unit.experiments.made_experiment import arm, experiment, plot
from tests.unit.experiments.made_suites import peers, primitives


def heads(found: ExperimentResult) -> list[str]:
    return [head.text for head in arm_table(found, Intervals(found.arms, 1)).heads]


def groups(found: ExperimentResult) -> list[Group]:
    return list(arm_table(found, Intervals(found.arms, 1)).groups)


def test_a_table_sets_arms_beside_the_baseline() -> None:
    found = peers()
    assert heads(found)[:4] == ["CPU", "95 % interval", "CPU : plain", "95 % interval"]
    ((title, rows),) = [(group.title, dict(group.rows)) for group in groups(found)]
    assert title is None
    assert rows["plain"][2:4] == ["1", ""]
    assert float(rows["http-message-signatures, liboqs"][2]) > 5


def test_a_table_without_a_baseline_has_no_ratios() -> None:
    assert heads(experiment("one", [arm("a", 1)])) == ["CPU", "95 % interval", "wall", "per second"]


def test_a_rate_that_was_measured_is_told_and_not_computed() -> None:
    ((_, cells),) = groups(experiment("one", [arm("a", 100, {}, {"rate": 1234})]))[0].rows
    assert cells[-1] == "1,234"
    ((_, cells),) = groups(experiment("one", [arm("a", 100, rounds=1)]))[0].rows
    assert 8_000 < float(cells[-1].replace(",", "")) < 11_000


def test_an_arm_without_an_extra_leaves_its_cell_empty() -> None:
    found = experiment("two", [arm("a", 1, {}, {"sent_bytes": 10}), arm("b", 1)])
    assert heads(found)[-1] == "sent"
    assert [cells[-1] for _, cells in groups(found)[0].rows] == ["10", ""]
    assert extras_of(found.arms) == ["sent_bytes"]


def test_many_arms_are_folded_and_parted_as_the_pictures_part_them() -> None:
    found = primitives()
    table = arm_table(found, Intervals(found.arms, 1))
    assert table.count == 33 > MANY
    assert table.folded
    assert [group.title for group in table.groups] == ["keygen", "sign", "verify"]
    assert "mayo-1 sign oqs" not in [name for group in table.groups for name, _ in group.rows]


def test_many_arms_that_no_picture_parts_stay_together() -> None:
    arms = [arm(f"{number}", 1, {"step": number}) for number in range(MANY + 1)]
    assert [group.title for group in groups(experiment("many", arms, plots=[plot("dots", "All")]))] == [None]


def test_an_interval_of_one_value_is_left_out() -> None:
    assert bounds(Interval(1, 1, 1)) == ""
    assert bounds(None) == ""
    assert bounds(Interval(107, 99, 132)) == "99.0 – 132"
