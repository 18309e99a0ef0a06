"""What the arms of `homomorphic` measure: a server's adding, and what contributors and the analyst do."""

from __future__ import annotations

from typing import Any

import numpy

from experiments.errors import CheckFailed
from experiments.homomorphic.cohort import DISTINCT, Way, rows, way
from experiments.homomorphic.row import Row
from experiments.subject import Clock, Operation, Reading, Setting, process_clock


class Adding:
    """A subject whose operation adds one contribution; every `count`-th one finishes its sum and begins another.

    So a contribution's time has its share of beginning and finishing.
    """

    def __init__(
        self, chosen: Way, contents: tuple[Any, ...], dimension: int, count: int, clock: Clock = process_clock
    ) -> None:
        self._way, self._contents, self._count, self._clock = chosen, contents, count, clock
        self._dimension = dimension
        self._extra: dict[str, float] = {}
        self._added, self._total = 0, chosen.begin()

    def check(self) -> None:
        """Show that the sum is what numpy says. Raises CheckFailed."""
        found = self._way.open(_sum(self._way, self._contents, self._count), self._count)
        worst = _worst(self._way, found, truth(self._dimension, self._count), self._count)
        bound = self._way.bound(self._count)
        self._extra = _sizes(self._contents, self._dimension) | {"worst_error": worst, "error_bound": bound}

    def measure(self, loops: int) -> Reading:
        """Add so many contributions."""
        chosen, contents, count, distinct = self._way, self._contents, self._count, len(self._contents)
        add = chosen.add
        cpu, wall = self._clock()
        for _ in range(loops):
            add(self._total, contents[self._added % distinct])
            self._added += 1
            if self._added == count:
                chosen.finish(self._total)
                self._added, self._total = 0, chosen.begin()
        cpu_after, wall_after = self._clock()
        micro = 1e6 / loops
        return Reading(loops, (cpu_after - cpu) * micro, (wall_after - wall) * micro, self._extra)

    def close(self) -> None:
        """Nothing is left."""


def adding(name: str, parameters: str, dimension: int, count: int, setting: Setting) -> Adding:
    """Prepare a server's adding for sums of `count` contributors."""
    return Adding(*way(name, parameters, dimension), dimension, count)


def encrypting(name: str, parameters: str, dimension: int, setting: Setting) -> Operation:
    """Prepare what a contributor does."""
    chosen, contents = way(name, parameters, dimension)
    row = rows(dimension)[0]

    def verify(content: object) -> None:
        total = chosen.begin()
        chosen.add(total, content)
        _worst(chosen, chosen.open(chosen.finish(total), 1), row, 1)

    return Operation(lambda: chosen.encrypt(row), verify, _sizes(contents, dimension))


def decrypting(name: str, parameters: str, dimension: int, setting: Setting) -> Operation:
    """Prepare what the analyst does with a sum of all distinct contributions."""
    chosen, contents = way(name, parameters, dimension)
    total, expected = _sum(chosen, contents, DISTINCT), truth(dimension, DISTINCT)

    def verify(found: object) -> None:
        _worst(chosen, numpy.asarray(found), expected, DISTINCT)

    return Operation(lambda: chosen.open(total, DISTINCT), verify)


def _sum(chosen: Way, contents: tuple[Any, ...], count: int) -> Any:
    total = chosen.begin()
    for number in range(count):
        chosen.add(total, contents[number % len(contents)])
    return chosen.finish(total)


def truth(dimension: int, count: int) -> Row:
    """Give what numpy says of the sum of `count` contributors, who send the distinct contributions in turn."""
    turns = numpy.bincount(numpy.arange(count) % DISTINCT, minlength=DISTINCT).astype(numpy.float64)
    total: Row = turns @ rows(dimension)
    return total


def _sizes(contents: tuple[Any, ...], dimension: int) -> dict[str, float]:
    (first, *_) = contents
    size = len(first) if isinstance(first, bytes) else sum(map(len, first))
    return {"contribution_bytes": float(size), "value_bytes": size / dimension}


def _worst(chosen: Way, found: Row, expected: Row, count: int) -> float:
    """Give the largest absolute error. Raises CheckFailed: it is above the bound, or the sum has another shape."""
    if found.shape != expected.shape:
        raise CheckFailed(f"a sum has the shape {found.shape}, not {expected.shape}")
    worst, bound = float(abs(found - expected).max()), chosen.bound(count)
    if not worst <= bound:
        raise CheckFailed(f"the sum of {count} is wrong by {worst:.3g}, and may be by {bound:.3g}")
    return worst
