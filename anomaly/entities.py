"""A bounded table of those who are watched, from which an attacker who churns identities evicts no victim."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from anomaly.errors import EventError


class Entity(Protocol):
    """What the table must know of an entry: when it was first and last seen, and how often."""

    first: float
    last: float
    count: int


E = TypeVar("E", bound=Entity)


class EntityTable(Generic[E]):
    """A segmented LRU with time to live.

    Newcomers live on probation, in a quarter of the room, and push out only one another. Whoever was seen
    `settle_count` times over `settle_time` seconds is settled. When the settled room is full, a newly settled one takes
    the place of the longest idle, if that one was idle for `idle` seconds: it waits on probation otherwise.

    Args:
        capacity: entries at most, both rooms together.
        make: makes the entry of a key first seen at a time.
        ttl: seconds without an event after which an entry is forgotten.
        settle_count: events that a newcomer needs to be settled.
        settle_time: seconds between its first event and being settled.
        idle: seconds after which a settled entry may be replaced.

    Raises:
        EventError: there is room for fewer than four.
    """

    __slots__ = (
        "_capacity", "_make", "evictions", "idle", "newcomers", "settle_count", "settle_time", "settled", "ttl",
    )  # fmt: skip

    def __init__(
        self,
        capacity: int,
        make: Callable[[int, float], E],
        *,
        ttl: float = 7 * 86_400.0,
        settle_count: int = 16,
        settle_time: float = 300.0,
        idle: float = 3_600.0,
    ) -> None:
        if capacity < 4:
            raise EventError("A table of entities needs room for four.")
        self._capacity = capacity
        self._make = make
        self.ttl = ttl
        self.settle_count = settle_count
        self.settle_time = settle_time
        self.idle = idle
        self.newcomers: OrderedDict[int, E] = OrderedDict()
        self.settled: OrderedDict[int, E] = OrderedDict()
        self.evictions = 0

    def __len__(self) -> int:
        return len(self.newcomers) + len(self.settled)

    def __iter__(self) -> Iterator[tuple[int, E]]:
        yield from self.settled.items()
        yield from self.newcomers.items()

    def peek(self, key: int) -> E | None:
        """Return the entry of `key` without touching it, or None."""
        return self.settled.get(key) or self.newcomers.get(key)

    def touch(self, key: int, now: float) -> E:
        """Return the entry of `key`, made if need be, as the most recently used. O(1); at most two others go."""
        entity = self.settled.get(key)
        if entity is not None:
            if now - entity.last <= self.ttl:
                self.settled.move_to_end(key)
                return entity
            del self.settled[key]
        entity = self.newcomers.get(key)
        if entity is None or now - entity.last > self.ttl:
            entity = self.newcomers[key] = self._make(key, now)
            self.newcomers.move_to_end(key)
            if len(self.newcomers) > max(self._capacity // 4, self._capacity - len(self.settled)):
                self.newcomers.popitem(last=False)
                self.evictions += 1
            return entity
        if entity.count >= self.settle_count and now - entity.first >= self.settle_time and self._make_room(now):
            del self.newcomers[key]
            self.settled[key] = entity
        else:
            self.newcomers.move_to_end(key)
        return entity

    def _make_room(self, now: float) -> bool:
        if self.settled:
            oldest = next(iter(self.settled))
            idle = now - self.settled[oldest].last
            full = len(self.settled) >= self._capacity - self._capacity // 4
            if idle > self.ttl or (full and idle > self.idle):
                del self.settled[oldest]
                self.evictions += 1
            elif full:
                return False
        return True

    def restore(self, key: int, entity: E, *, settled: bool) -> None:
        """Put back a saved entry as the most recently used of its room.

        Raises:
            EventError: the table is full.
        """
        if len(self) >= self._capacity:
            raise EventError("A saved table of entities is larger than this one.")
        (self.settled if settled else self.newcomers)[key] = entity
