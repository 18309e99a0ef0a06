"""The simulator is repeatable, labelled, and a stranger to the detectors."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import anomaly
from anomaly.errors import EventError
from anomaly.simulate import ATTACKS, SUITES, simulate

PACKAGE = Path(anomaly.__file__).parent


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_generator_knows_no_detector_and_no_detector_knows_the_generator() -> None:
    allowed = {"anomaly.errors", "anomaly.event"}
    for path in (PACKAGE / "simulate").glob("*.py"):
        ours = {name for name in imports(path) if name.startswith("anomaly") and "simulate" not in name}
        assert ours <= allowed, path
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "simulate" and path.name != "campaign.py":
            assert not any("simulate" in name for name in imports(path)), path


def test_the_same_seed_gives_the_same_traffic_and_another_seed_another() -> None:
    first = list(simulate("standard", 3, clients=60, days=0.1))
    assert first == list(simulate("standard", 3, clients=60, days=0.1))
    assert first != list(simulate("standard", 4, clients=60, days=0.1))


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_events_come_in_the_order_of_time_with_the_truth_about_them(suite: str) -> None:
    rows = list(simulate(suite, 1, clients=80, days=0.2))
    times = [row.event.time for row in rows]
    assert times == sorted(times)
    assert all(bool(row.attack) == bool(row.incident) for row in rows)
    assert {row.attack for row in rows} <= {"", "ramp", *ATTACKS}


def test_the_standard_suite_has_nine_kinds_and_few_attacks() -> None:
    kinds = Counter(row.attack for row in simulate("standard", 1))
    assert set(kinds) == {"", *ATTACKS}
    assert len(ATTACKS) == 9
    assert 0.02 < 1 - kinds[""] / kinds.total() < 0.15


def test_rare_attacks_are_rare_and_benign_traffic_has_none() -> None:
    rare = [bool(row.attack) for row in simulate("rare", 2)]
    assert 0 < sum(rare) / len(rare) < 0.01
    assert not any(row.attack for row in simulate("benign", 2, clients=60, days=0.2))


def test_an_unknown_suite_and_too_few_clients_are_refused() -> None:
    with pytest.raises(EventError, match="standard"):
        next(simulate("nothing", 1))
    with pytest.raises(EventError):
        next(simulate("standard", 1, clients=3))
