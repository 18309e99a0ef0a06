"""The table of entities stays small, and churning identities evicts no victim."""

from __future__ import annotations

import pytest

from anomaly.entities import EntityTable
from anomaly.errors import EventError


class Entry:
    def __init__(self, now: float) -> None:
        self.first = now
        self.last = now
        self.count = 0


def table(capacity: int = 40) -> EntityTable[Entry]:
    return EntityTable(capacity, lambda _, now: Entry(now), ttl=10_000.0)


def visit(entries: EntityTable[Entry], key: int, now: float) -> Entry:
    entry = entries.touch(key, now)
    entry.count += 1
    entry.last = now
    return entry


def settle(entries: EntityTable[Entry], key: int, start: float) -> Entry:
    return [visit(entries, key, start + 20.0 * step) for step in range(20)][-1]


def test_a_hundred_thousand_identities_evict_no_settled_one() -> None:
    entries = table()
    victims = {key: settle(entries, key, 0.0) for key in range(1, 11)}
    for sybil in range(100_000):
        visit(entries, 1_000 + sybil, 500.0)
        assert len(entries) <= 40
    assert all(entries.peek(key) is entry for key, entry in victims.items())
    assert entries.evictions == 100_000 - 30


def test_many_settled_sybils_wait_until_a_victim_is_idle() -> None:
    entries = table()
    victims = [settle(entries, key, 0.0) for key in range(1, 31)]
    for sybil in range(100, 140):
        settle(entries, sybil, 400.0)
    assert [entries.peek(key) for key in range(1, 31)] == victims
    settle(entries, 500, 5_000.0)
    assert entries.peek(500) is not None
    assert 500 in entries.settled
    assert entries.peek(1) is None


def test_who_comes_back_after_the_time_to_live_is_a_newcomer() -> None:
    entries = table()
    settled, fresh = settle(entries, 1, 0.0), visit(entries, 2, 0.0)
    assert visit(entries, 1, 20_000.0) is not settled
    assert visit(entries, 2, 20_000.0) is not fresh
    assert 1 in entries.newcomers


def test_entries_are_listed_settled_first() -> None:
    entries = table()
    visit(entries, 2, 0.0)
    settle(entries, 1, 0.0)
    assert [key for key, _ in entries] == [1, 2]


def test_no_more_is_restored_than_there_is_room_for() -> None:
    entries = table(4)
    for key in range(4):
        entries.restore(key, Entry(0.0), settled=key % 2 == 0)
    with pytest.raises(EventError):
        entries.restore(9, Entry(0.0), settled=True)
    with pytest.raises(EventError):
        table(3)
