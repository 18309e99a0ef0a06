"""The same machinery for plain numeric vectors: labelled public sets, service metrics, anything that is no request."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.forest import RollingForest
from anomaly.detectors.ranks import TailRank
from anomaly.detectors.tails import Tails
from anomaly.errors import EventError, StateCorrupt
from anomaly.guard import BurstGuard
from anomaly.state import State, floats, take, take_array

_WARM_UP: Final = 256
_MAX_SIZE: Final = 512
_FOREST: Final = 10.0
"""What a forest's score (0 to 1) counts beside the rank of the tails: 0.1 of it as much as one decade of that."""

Floats = NDArray[np.float64]


class VectorDetector:
    """Scores vectors of any scale, in the order of arrival, with nothing fitted on the future.

    The first 256 vectors fix a robust center and scale for each feature; from then on a vector is judged by how far
    out in the tail each of its features is, on either side, and by an isolation forest. The tails are ranked online;
    the score is that rank and ten times what the forest's score is above one half. That one has the same scale
    everywhere: were it ranked, too, its luck with the few rows at its edge would decide. A burst of what stands out is
    learned with small weights, so that it cannot become usual by its mass.

    Args:
        size: features.
        seed: of the forest.

    Raises:
        EventError: the size is not between 1 and 512.
    """

    def __init__(self, size: int, *, seed: int = 1) -> None:
        if not 1 <= size <= _MAX_SIZE:
            raise EventError(f"A vector has between 1 and {_MAX_SIZE} features.")
        self.size = size
        self.seen = 0
        self.tails = Tails([0.9] * (2 * size), prior=20.0, half_life=100_000.0)
        self.forest = RollingForest(size, trees=64, sample=256, reservoir=8_192, seed=seed)
        self._tail_rank = TailRank(6.0 * 8, 4.0)
        self._forest_rank = TailRank(1.0, 0.6)
        self._guard = BurstGuard()
        self._center: Floats = np.zeros(size)
        self._scale: Floats = np.ones(size)
        self._buffer: list[list[float]] = []

    def _place(self, x: Floats) -> Floats:
        shift = (x - self._center) / self._scale
        half = 0.5 * shift / (4.0 + np.abs(shift))
        return np.concatenate((0.5 + half, 0.5 - half))

    def _evidence(self, placed: Floats) -> float:
        tails = self.tails.tails(placed)
        return 2.0 * math.sqrt(tails @ tails)

    def process(self, x: Sequence[float]) -> float:
        """Score `x`, then learn it.

        Raises:
            EventError: it has another length, or a value that is not finite.
        """
        row = np.asarray(x, dtype=np.float64)
        if row.shape != (self.size,) or not np.isfinite(row).all():
            raise EventError(f"A vector must be {self.size} finite numbers.")
        self.seen += 1
        if self.seen <= _WARM_UP:
            return self._warm_up(row)
        placed = self._place(row)
        values = row.tolist()
        tail, forest = self._evidence(placed), self.forest.score(values)
        ranks = self._tail_rank.rank(tail), self._forest_rank.rank(forest)
        weight = self._guard.weight(max(ranks))
        self._learn(placed, values, tail, forest, weight)
        return ranks[0] + _FOREST * (forest - 0.5)

    def _learn(self, placed: Floats, values: list[float], tail: float, forest: float, weight: float) -> None:
        self.tails.learn_array(placed, weight)
        self.forest.learn(values, weight)
        self._tail_rank.learn(tail, weight)
        self._forest_rank.learn(forest, weight)

    def _warm_up(self, row: Floats) -> float:
        self._buffer.append(row.tolist())
        if self.seen == _WARM_UP:
            rows = np.array(self._buffer)
            self._center = np.median(rows, axis=0)
            away = np.abs(rows - self._center)
            spread = np.maximum(1.4826 * np.median(away, axis=0), away.mean(axis=0))
            self._scale = np.where(spread > 0.0, spread, np.maximum(0.1, 0.01 * np.abs(self._center)))
            for kept in rows:
                placed = self._place(kept)
                self.tails.learn_array(placed, 1.0)
                self.forest.learn(kept.tolist())
            self._buffer = []
        return 0.0

    def state(self) -> State:
        """Return everything it has learned."""
        return {
            "size": self.size, "seen": self.seen, "center": floats(self._center.tolist()),
            "scale": floats(self._scale.tolist()), "buffer": floats([value for row in self._buffer for value in row]),
            "tails": self.tails.state(), "forest": self.forest.state(), "tail rank": self._tail_rank.state(),
            "forest rank": self._forest_rank.state(), "guard": self._guard.state(),
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        if take(state, "size", int) != self.size:
            raise StateCorrupt("The state is of vectors of another size.")
        center, scale = take_array(state, "center", "d", self.size), take_array(state, "scale", "d", self.size)
        buffer = take_array(state, "buffer", "d")
        if len(buffer) % self.size or len(buffer) // self.size >= _WARM_UP:
            raise StateCorrupt("The state's warm-up is of another size.")
        self.tails.restore(take(state, "tails", dict))
        self.forest.restore(take(state, "forest", dict))
        self._tail_rank.restore(take(state, "tail rank", dict))
        self._forest_rank.restore(take(state, "forest rank", dict))
        self._guard.restore(take(state, "guard", dict))
        self.seen = take(state, "seen", int)
        self._center, self._scale = np.array(center), np.array(scale)
        self._buffer = [buffer[start : start + self.size].tolist() for start in range(0, len(buffer), self.size)]
