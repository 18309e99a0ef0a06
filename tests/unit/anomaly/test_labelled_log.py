"""Labelled traffic is written as JSON lines and read back the same, under other names."""

from __future__ import annotations

import json

import pytest

from anomaly.event import LabelledEvent, Pseudonyms
from anomaly.labelled_log import LabelledLine, read, write
from anomaly.simulate import simulate

PSEUDONYMS = Pseudonyms(bytes(32))
LINE = {"time": 1_000, "client": "a", "remote_addr": "192.0.2.1", "method": "GET", "path": "/v1/x", "status": 200}


def one(**members: object) -> LabelledLine:
    (line,) = read([json.dumps({**LINE, **members})], PSEUDONYMS)
    return line


def numbers(*rows: dict[str, object]) -> list[int]:
    lines = read([json.dumps({**LINE, **row}) for row in rows], PSEUDONYMS)
    return [line.row.incident for line in lines if line.row is not None]


def test_simulated_traffic_survives_writing_and_reading() -> None:
    rows = list(simulate("poison", 1, clients=60, days=0.2))
    back = [line.row for line in read(map(write, rows), PSEUDONYMS)]
    assert len(back) == len(rows)
    names: dict[tuple[str, int], int] = {}
    for before, after in zip(rows, back, strict=True):
        assert after is not None
        assert before.attack == after.attack
        for member in ("status", "request_bytes", "response_bytes", "proof"):
            assert getattr(before.event, member) == getattr(after.event, member)
        assert after.event.time == pytest.approx(before.event.time, abs=1e-5)
        assert after.event.route.endswith(before.event.route)
        for member in ("client", "organization", "network", "object", "agent"):
            seen = names.setdefault((member, getattr(before.event, member)), getattr(after.event, member))
            assert seen == getattr(after.event, member), member
        seen = names.setdefault(("incident", before.incident), after.incident)
        assert seen == after.incident
    assert len({(member, name) for (member, _), name in names.items()}) == len(names)
    assert any(row.attack for row in rows)


@pytest.mark.parametrize("value", [None, False, 0, "", "0", "-", "benign", "Normal", "none", "false"])
def test_what_counts_as_benign(value: object) -> None:
    assert one(attack=value).row == one().row
    assert one(label=value).row == one().row


def test_what_counts_as_an_attack() -> None:
    for value, kind in ((True, "attack"), (1, "attack"), ("flood", "flood"), (" x ", "x")):
        for member in ("attack", "label"):
            row = one(**{member: value}).row
            assert row is not None
            assert (row.attack, row.incident) == (kind, 1)


def test_incidents_are_told_apart_by_name_or_by_a_pause() -> None:
    assert numbers({"attack": "a", "incident": "x"}, {"attack": "a", "incident": 7}, {"attack": "b", "incident": "x"}) \
        == [1, 2, 3]  # fmt: skip
    assert numbers({"attack": "a", "incident": 7}, {}, {"attack": "a", "incident": 7}) == [1, 0, 1]
    times = (0, 1_000, 2_000, 4_000)
    assert numbers(*({"attack": "a", "time": time} for time in times)) == [1, 1, 1, 2]
    assert numbers({"attack": "a"}, {"attack": "b"}, {"attack": "a"}) == [1, 2, 1]


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({**LINE, "attack": ["x"]}),
        json.dumps({**LINE, "attack": "x", "incident": 1.5}),
        json.dumps({**LINE, "attack": "x", "incident": True}),
        json.dumps({**LINE, "proof": "perhaps"}),
        json.dumps({**LINE, "time": "1960-01-01"}),
        json.dumps({**LINE, "object": 5}),
        '192.0.2.7 - alice [10/Oct/2025:13:55:36 +0000] "GET /v1/studies HTTP/1.1" 200 2326',
        "[]",
        "nonsense",
    ],
)
def test_what_has_no_label_or_no_sense_is_a_problem_with_its_number(line: str) -> None:
    good, bad = read([json.dumps(LINE), "", line], PSEUDONYMS)
    assert isinstance(good.row, LabelledEvent)
    assert (bad.number, bad.row) == (3, None)
    assert bad.problem
