"""Where a score stands among the usual ones, as -log10 of a tail probability; learned online."""

from math import log10
from typing import Final

import numpy as np

from anomaly.state import State, floats, take, take_array

_BINS: Final = 256
_STRIDE: Final = 128


class TailRank:
    """Calibrates a score to -log10 P(S >= s), by a decayed histogram.

    Beyond what was ever seen the tail goes on as an exponential, so that far and farther remain apart.

    Args:
        top: the score of the last bin's upper edge.
        scale: the score that one in ten exceeds before anything was learned.
        half_life: events until what was learned counts half.
        phase: events by which its renewals come earlier than those of others: two at once would be a longer pause.
    """

    __slots__ = ("_counts", "_due", "_growth", "_table", "_unit", "seen", "top")

    def __init__(
        self, top: float, scale: float, *, prior: float = 100.0, half_life: float = 25_000.0, phase: int = 0
    ) -> None:
        self.top = top
        self.seen = 0
        tail = [10.0 ** (-edge * top / _BINS / scale) for edge in range(_BINS + 1)]
        self._counts = np.array([prior * (tail[place] - tail[place + 1]) for place in range(_BINS)])
        self._unit = 1.0
        self._growth = 2.0 ** (1.0 / half_life)
        self._due = max(1, _STRIDE - phase)
        self._table = [0.0] * (_BINS + 1)
        self._renew()

    def _renew(self) -> None:
        tail = self._counts[::-1].cumsum()[::-1]
        tail += 0.5 * self._unit
        total = float(tail[0])
        table: list[float] = np.log10(total / tail).tolist()
        table.append(log10(total / (0.5 * self._unit)))
        self._table = table

    def rank(self, score: float) -> float:
        """Return -log10 of the share of usual scores that are as high; 0 for the lowest."""
        where = score * _BINS / self.top
        if where >= _BINS - 1:
            return self._table[_BINS - 1] + 0.01 * (where - _BINS + 1)
        if where < 0.0:
            return 0.0
        place = int(where)
        low = self._table[place]
        # A slope so small that it orders nothing but ties.
        return low + (where - place) * (self._table[place + 1] - low) + 1e-6 * where

    def learn(self, score: float, weight: float = 1.0) -> None:
        """Count a score as usual."""
        place = int(score * _BINS / self.top)
        self._counts[0 if place < 0 else (place if place < _BINS else _BINS - 1)] += weight * self._unit
        self._unit *= self._growth
        self.seen += 1
        self._due -= 1
        if self._due <= 0:
            self._due = _STRIDE
            self._renew()
            if self._unit > 1e9:
                self._counts /= self._unit
                self._unit = 1.0

    def state(self) -> State:
        """Return everything it has learned."""
        return {
            "counts": floats(self._counts.tolist()), "table": floats(self._table), "unit": self._unit,
            "seen": self.seen, "due": self._due,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        counts, table = take_array(state, "counts", "d", _BINS), take_array(state, "table", "d", _BINS + 1)
        self._unit, self.seen, self._due = take(state, "unit", float), take(state, "seen", int), take(state, "due", int)
        self._counts, self._table = np.array(counts), table.tolist()
