"""A small random cut forest of our own, as a peer: the library `rrcf` no longer imports on current Pythons.

Guha, Mishra, Roy, Schrijvers: Robust Random Cut Forest Based Anomaly Detection on Streams (ICML 2016). Subsampled: each
tree holds 128 rows of a sliding reservoir, and is grown anew instead of being maintained row by row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_REGROW: Final = 64


@dataclass(slots=True)
class _Node:
    """A box of rows, and how it is cut; a leaf has no cut."""

    low: Floats
    high: Floats
    span: float
    rows: int
    feature: int = -1
    cut: float = 0.0
    left: "_Node | None" = None
    right: "_Node | None" = None


class RandomCutForest:
    """Scores a row by its collusive displacement: how much smaller the tree could be described without it.

    Args:
        trees: how many.
        sample: rows of a tree.
        window: latest rows that trees are grown from.
        seed: of the cuts.
    """

    def __init__(self, trees: int = 10, sample: int = 128, window: int = 2_048, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._count, self._sample, self._window = trees, sample, window
        self._rows: list[Floats] = []
        self._forest: list[_Node] = []
        self._seen = 0

    def score(self, x: Sequence[float]) -> float:
        """Return the mean collusive displacement that `x` would have in the trees; 0 before the first."""
        if not self._forest:
            return 0.0
        row = np.asarray(x, dtype=np.float64)
        draws = self._random.random((len(self._forest), 64))
        return sum(
            _displacement(tree, row, chances) for tree, chances in zip(self._forest, draws.tolist(), strict=True)
        ) / len(self._forest)

    def learn(self, x: Sequence[float]) -> None:
        """Take `x` into the window; now and then replace the oldest tree."""
        row = np.asarray(x, dtype=np.float64)
        if len(self._rows) < self._window:
            self._rows.append(row)
        else:
            self._rows[self._seen % self._window] = row
        self._seen += 1
        if self._seen % _REGROW == 0:
            chosen = self._random.integers(len(self._rows), size=min(self._sample, len(self._rows)))
            self._forest.append(self._grow(np.array([self._rows[place] for place in chosen]), 0))
            if len(self._forest) > self._count:
                del self._forest[0]

    def _grow(self, rows: Floats, depth: int) -> _Node:
        low, high = rows.min(axis=0), rows.max(axis=0)
        sides = high - low
        node = _Node(low, high, float(sides.sum()), len(rows))
        if node.span <= 0.0 or depth >= 60:
            return node
        node.feature = int(self._random.choice(len(sides), p=sides / node.span))
        node.cut = float(self._random.uniform(low[node.feature], high[node.feature]))
        left = rows[:, node.feature] <= node.cut
        node.left, node.right = self._grow(rows[left], depth + 1), self._grow(rows[~left], depth + 1)
        return node


def _displacement(node: _Node, x: Floats, chances: Sequence[float]) -> float:
    """Insert `x` in thought; return the largest sibling to subtree ratio on its way up."""
    largest = 0.0
    for chance in chances:
        outside = float((np.maximum(x - node.high, 0.0) + np.maximum(node.low - x, 0.0)).sum())
        if outside > 0.0 and chance * (outside + node.span) < outside:
            return max(largest, float(node.rows))  # cut off here, alone against all of the node
        if node.left is None or node.right is None:
            return max(largest, 1.0 / node.rows)
        child, sibling = (node.left, node.right) if x[node.feature] <= node.cut else (node.right, node.left)
        largest = max(largest, sibling.rows / (child.rows + 1.0))
        node = child
    return largest
