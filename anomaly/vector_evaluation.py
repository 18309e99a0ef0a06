"""Prequential evaluation on labelled vectors: ours and, scaled online, the peers."""

import time
from collections.abc import Callable, Sequence
from math import nan

import numpy as np

from anomaly.detectors.peers import PEERS
from anomaly.evaluate import COLD, OURS, Quality, quality_of
from anomaly.labelled_table import LabelledTable
from anomaly.vectors import VectorDetector

Progress = Callable[[int], None]
_STRIDE = 1_000
_COLD_ROWS = 512


class RunningScale:
    """Puts each number of a vector between the least and the largest seen so far, before it is counted in."""

    def __init__(self, size: int) -> None:
        self._low, self._high = [float("inf")] * size, [float("-inf")] * size

    def place(self, x: Sequence[float]) -> list[float]:
        """Return `x` in [0, 1]; 0 where nothing is known."""
        placed = []
        for at, value in enumerate(x):
            low, high = self._low[at], self._high[at]
            placed.append(min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0)
            self._low[at], self._high[at] = min(low, value), max(high, value)
        return placed


def evaluate_vectors(
    table: LabelledTable, detector: str = OURS, *, seed: int = 1, progress: Progress | None = None
) -> Quality:
    """Run a detector over a table in its order; the first tenth, at most 1,000 rows, is not reported.

    Of a short table the first 512 rows are not, at most half: 256 are our warm-up, and thresholds need a scale.

    Raises:
        LibraryMissing: the detector needs one of the extra `behavior`.
        EventError: a row is not what a detector takes.
    """
    size = len(table.columns)
    if detector == OURS:
        process = VectorDetector(size, seed=seed).process
    else:
        peer, scale = PEERS[detector](), RunningScale(size)

        def process(x: Sequence[float]) -> float:
            placed = scale.place(x)
            score = peer.score(placed)
            peer.learn(placed)
            return score

    start = time.process_time()
    scores = []
    for place, row in enumerate(table.rows):
        scores.append(process(row))
        if progress is not None and place % _STRIDE == 0:
            progress(place)
    seconds = time.process_time() - start
    skip = max(min(1_000, int(COLD * len(scores))), min(_COLD_ROWS, len(scores) // 2))
    quality = quality_of(np.array(table.kinds), scores, skip, seconds)
    quality.found = quality.false_episodes = quality.delay = nan
    return quality
