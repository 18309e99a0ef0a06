"""How far out in the tail each feature is, learned online."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anomaly.state import State, floats, take, take_array

_BINS: Final = 64
_RESCALE: Final = 1e9

Floats = NDArray[np.floating]


class Tails:
    """-log10 P(X >= x) for every feature, by decayed histograms over [0, 1].

    One-sided: high is unusual. Who needs both sides gives every feature twice, as x and 1 - x. O(features) a call; the
    table of logarithms is renewed feature by feature, one every `stride` events, so that no call pauses.

    Args:
        scales: for each feature, the value that one in a hundred exceeds before anything was learned (the prior).
        weights: what each feature counts in the score.
        prior: how many events the prior is worth.
        half_life: events until what was learned counts half.
        stride: events between two renewals.
    """

    __slots__ = (
        "_counts", "_due", "_growth", "_next", "_offsets", "_table", "_unit", "seen", "size", "stride", "weights",
    )  # fmt: skip

    def __init__(
        self,
        scales: Sequence[float],
        weights: Sequence[float] | None = None,
        *,
        prior: float = 200.0,
        half_life: float = 25_000.0,
        stride: int = 8,
    ) -> None:
        size = len(scales)
        self.size = size
        self.seen = 0
        self.stride = stride
        self.weights: Floats = np.ones(size) if weights is None else np.array(weights, dtype=np.float64)
        edges = np.arange(_BINS + 1) / _BINS
        tail = 10.0 ** (-2.0 * edges[None, :] / np.maximum(np.array(scales, dtype=np.float64), 1e-3)[:, None])
        tail[:, -1] = 0.0
        self._counts: Floats = np.ascontiguousarray(prior * (tail[:, :-1] - tail[:, 1:])).ravel()
        self._offsets = np.arange(size) * _BINS
        self._unit = 1.0
        self._growth = 2.0 ** (1.0 / half_life)
        self._next = 0
        self._due = stride
        self._table: Floats = np.zeros(size * _BINS)
        for feature in range(size):
            self._renew(feature)

    def _renew(self, feature: int) -> None:
        start = feature * _BINS
        tail = self._counts[start : start + _BINS][::-1].cumsum()[::-1]
        self._table[start : start + _BINS] = -np.log10((tail + 0.3 * self._unit) / (tail[0] + self._unit))

    def _places(self, x: Floats) -> NDArray[np.intp]:
        return (x * (_BINS - 0.001)).astype(np.intp) + self._offsets

    def tails(self, x: Floats) -> Floats:
        """Return -log10 of every feature's tail probability; `x` must lie in [0, 1]."""
        return self._table[self._places(x)]

    def score(self, x: Sequence[float]) -> float:
        """Return the weighted sum of the tails."""
        return float(self.weights @ self.tails(np.asarray(x)))

    def learn(self, x: Sequence[float], weight: float = 1.0) -> None:
        """Count `x` into every feature's histogram."""
        self.learn_array(np.asarray(x), weight)

    def learn_array(self, x: Floats, weight: float) -> None:
        """Count an array in."""
        self._counts[self._places(x)] += weight * self._unit
        self._unit *= self._growth
        self.seen += 1
        self._due -= 1
        if self._due <= 0 or self.seen < 256:
            self._due = self.stride
            self._renew(self._next)
            self._next = (self._next + 1) % self.size
            if self._unit > _RESCALE:
                self._counts /= self._unit
                self._unit = 1.0

    def explain(self, x: Sequence[float]) -> list[float]:
        """Return each feature's weighted tail."""
        return [float(part) for part in self.weights * self.tails(np.asarray(x))]

    def tails_of(self, x: Sequence[float]) -> list[float]:
        """Return -log10 of every feature's tail probability, as a list."""
        return [float(tail) for tail in self.tails(np.asarray(x))]

    def quantile(self, feature: int, share: float) -> float:
        """Return the value that a share of what was learned does not exceed."""
        counts = self._counts[feature * _BINS : (feature + 1) * _BINS].cumsum()
        return float((np.searchsorted(counts, share * counts[-1]) + 0.5) / _BINS)

    def state(self) -> State:
        """Return everything it has learned."""
        return {
            "counts": floats(self._counts.tolist()), "table": floats(self._table.tolist()), "unit": self._unit,
            "weights": floats(self.weights.tolist()), "seen": self.seen, "next": self._next, "due": self._due,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        length = self.size * _BINS
        counts = take_array(state, "counts", "d", length)
        table = take_array(state, "table", "d", length)
        weights = take_array(state, "weights", "d", self.size)
        self.seen, self._due = take(state, "seen", int), take(state, "due", int)
        self._next = take(state, "next", int) % self.size
        self._unit = take(state, "unit", float)
        self._counts, self._table, self.weights = np.array(counts), np.array(table), np.array(weights)
