"""An isolation forest that never stops to be refitted.

Liu, Ting, Zhou: Isolation Forest (ICDM 2008), on a reservoir of what passed for usual, one tree replaced at a time: no
pause is longer than the growing of one tree, and a burst owns neither the sample nor all of the trees.
"""

from array import array
from collections.abc import Sequence
from math import log
from typing import Final

from anomaly.errors import StateCorrupt
from anomaly.state import State, take, take_array

_LEAF: Final = -1
_MASK: Final = (1 << 64) - 1

Tree = tuple[list[int], list[float]]
"""Feature and threshold of each node in heap order; a leaf has feature -1 and its path length instead."""


class RollingForest:
    """Isolation trees over a guarded, slowly forgetting reservoir.

    Args:
        size: features.
        trees: how many trees.
        sample: rows that a tree is grown from.
        reservoir: rows kept.
        every: events between two replacements of a tree, once the reservoir is full.
        turnover: the least chance that an event of weight 1 replaces a row of the full reservoir.
        seed: of the choices.
    """

    __slots__ = (
        "_depth", "_every", "_forest", "_limit", "_random", "_rows", "_sample", "_trees", "_turnover", "_wait", "seen",
        "size",
    )  # fmt: skip

    def __init__(
        self, size: int, *, trees: int = 24, sample: int = 128, reservoir: int = 1_024, every: int = 256,
        turnover: float = 0.01, seed: int = 1,
    ) -> None:  # fmt: skip
        self.size = size
        self.seen = 0
        self._trees = trees
        self._sample = sample
        self._limit = reservoir
        self._every = every
        self._turnover = turnover
        self._random = (seed * 0x9E3779B97F4A7C15 + 1) & _MASK or 1
        self._depth = (sample - 1).bit_length()
        self._rows: list[array[float]] = []
        self._forest: list[Tree] = []
        self._wait = 32

    def _draw(self) -> int:
        """xorshift64*: fast, and its state is one integer that can be saved."""
        value = self._random
        value ^= value >> 12
        value = (value ^ (value << 25)) & _MASK
        value ^= value >> 27
        self._random = value
        return ((value * 0x2545F4914F6CDD1D) & _MASK) >> 11

    def _uniform(self) -> float:
        return self._draw() * 2.0**-53

    def score(self, x: Sequence[float]) -> float:
        """Return 2 ** -(mean path length / expected path length), in (0, 1); 0.5 before the first tree."""
        if not self._forest:
            return 0.5
        total = 0.0
        for features, thresholds in self._forest:
            node = 0
            feature = features[0]
            while feature >= 0:
                node = 2 * node + (2 if x[feature] > thresholds[node] else 1)
                feature = features[node]
            total += thresholds[node]
        return float(2.0 ** (-total / len(self._forest) / _expected(self._sample)))

    def learn(self, x: Sequence[float], weight: float = 1.0) -> None:
        """Give `x` a chance of a place in the reservoir, and at times replace the oldest tree."""
        self.seen += 1
        rows = self._rows
        if len(rows) < self._limit:
            if weight >= 1.0 or self._uniform() < weight:
                rows.append(array("d", x))
        elif self._uniform() < weight * max(self._turnover, self._limit / self.seen):
            rows[self._draw() % self._limit] = array("d", x)
        self._wait -= 1
        if self._wait <= 0 and len(rows) >= 32:
            self._forest.append(self._grow())
            if len(self._forest) > self._trees:
                del self._forest[0]
            self._wait = self._every if len(rows) == self._limit else min(self._every, 8 + self.seen // 32)

    def _grow(self) -> Tree:
        nodes = (1 << (self._depth + 1)) - 1
        features, thresholds = [_LEAF] * nodes, [0.0] * nodes
        rows = self._rows
        picked = [rows[self._draw() % len(rows)] for _ in range(min(self._sample, len(rows)))]
        stack = [(0, 0, picked)]
        while stack:
            node, depth, here = stack.pop()
            split = self._split(here) if depth < self._depth and len(here) > 1 else None
            if split is None:
                thresholds[node] = depth + _expected(len(here))
                continue
            feature, threshold = split
            features[node], thresholds[node] = split
            stack.append((2 * node + 1, depth + 1, [row for row in here if row[feature] <= threshold]))
            stack.append((2 * node + 2, depth + 1, [row for row in here if row[feature] > threshold]))
        return features, thresholds

    def _split(self, rows: list["array[float]"]) -> tuple[int, float] | None:
        start = self._draw() % self.size
        for offset in range(self.size):
            feature = (start + offset * 7) % self.size if self.size % 7 else (start + offset) % self.size
            column = [row[feature] for row in rows]
            low, high = min(column), max(column)
            if low < high:
                threshold = low + self._uniform() * (high - low)
                return feature, threshold if threshold < high else low
        return None

    def explain(self, x: Sequence[float]) -> list[float]:
        """Return for each feature how much the score falls when it takes its median in the reservoir."""
        if not self._rows:
            return [0.0] * self.size
        full, parts = self.score(x), []
        for feature in range(self.size):
            other = list(x)
            other[feature] = sorted(row[feature] for row in self._rows)[len(self._rows) // 2]
            parts.append(full - self.score(other))
        return parts

    def state(self) -> State:
        """Return everything it has learned."""
        rows: array[float] = array("d")
        for row in self._rows:
            rows.extend(row)
        features: array[int] = array("h")
        thresholds: array[float] = array("d")
        for tree in self._forest:
            features.extend(tree[0])
            thresholds.extend(tree[1])
        return {
            "rows": rows, "features": features, "thresholds": thresholds, "seen": self.seen, "wait": self._wait,
            "random": self._random.to_bytes(8, "big"),
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape, or its trees lead out of themselves.
        """
        rows = take_array(state, "rows", "d")
        features, thresholds = take_array(state, "features", "h"), take_array(state, "thresholds", "d")
        nodes = (1 << (self._depth + 1)) - 1
        trees = len(features) // nodes
        if len(rows) % self.size or len(rows) // self.size > self._limit or trees > self._trees:
            raise StateCorrupt("The forest is of another size.")
        if len(features) != trees * nodes or len(thresholds) != trees * nodes:
            raise StateCorrupt("The forest's trees are cut short.")
        forest = []
        for number in range(trees):
            part = features[number * nodes : (number + 1) * nodes].tolist()
            if any(f >= self.size or (f >= 0 and 2 * node + 2 >= nodes) or f < _LEAF for node, f in enumerate(part)):
                raise StateCorrupt("A tree of the forest leads out of itself.")
            forest.append((part, thresholds[number * nodes : (number + 1) * nodes].tolist()))
        random = int.from_bytes(take(state, "random", bytes)[:8], "big")
        if not random:
            raise StateCorrupt("The forest's generator of choices has no state.")
        self.seen, self._wait = take(state, "seen", int), take(state, "wait", int)
        self._random = random
        self._forest = forest
        self._rows = [rows[start : start + self.size] for start in range(0, len(rows), self.size)]


def _expected(rows: int) -> float:
    """The mean path length of an unsuccessful search in a binary tree of so many rows (Liu et al., equation 1)."""
    if rows < 2:
        return 0.0
    return 1.0 if rows == 2 else 2.0 * (log(rows - 1) + 0.5772156649) - 2.0 * (rows - 1) / rows
