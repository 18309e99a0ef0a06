"""Medians and 95 % intervals of arms, each computed once for a page."""

from collections.abc import Callable, Sequence
from statistics import median

from experiments.result import ArmResult, Sample
from experiments.statistics import Interval, interval


class Intervals:
    """Figures of the arms of one experiment: of an arm alone, and of two arms, paired round by round.

    Each is None where no round has the quantity (`cpu`, `wall`, or an extra by name).
    """

    def __init__(self, arms: Sequence[ArmResult], seed: int) -> None:
        self._samples = {arm.name: {sample.round: sample for sample in arm.samples} for arm in arms}
        self._seed = seed
        self._known: dict[tuple[str, ...], Interval | None] = {}

    def of(self, arm: str, quantity: str) -> Interval | None:
        """Give the median over rounds of a quantity of an arm."""
        return self._once(("of", arm, quantity), lambda: self._values(arm, quantity))

    def median(self, arm: str, quantity: str) -> float | None:
        """Give the median alone, which takes no bootstrap."""
        values = self._values(arm, quantity)
        return median(values) if values else None

    def ratio(self, arm: str, baseline: str, quantity: str) -> Interval | None:
        """Give an arm's quantity over the baseline's of the same round."""
        return self._once(
            ("ratio", arm, baseline, quantity),
            lambda: [one / other for one, other in self._pairs(arm, baseline, quantity) if other],
        )

    def added(self, arm: str, baseline: str, quantity: str) -> Interval | None:
        """Give what an arm's quantity has more than the baseline's of the same round."""
        return self._once(
            ("added", arm, baseline, quantity),
            lambda: [one - other for one, other in self._pairs(arm, baseline, quantity)],
        )

    def _once(self, key: tuple[str, ...], values: Callable[[], list[float]]) -> Interval | None:
        if key not in self._known:
            found = values()
            self._known[key] = interval(found, self._seed) if found else None
        return self._known[key]

    def _values(self, arm: str, quantity: str) -> list[float]:
        values = (quantity_of(sample, quantity) for sample in self._samples.get(arm, {}).values())
        return [value for value in values if value is not None]

    def _pairs(self, arm: str, baseline: str, quantity: str) -> list[tuple[float, float]]:
        others = self._samples.get(baseline, {})
        both = (
            (quantity_of(sample, quantity), quantity_of(others[number], quantity))
            for number, sample in self._samples.get(arm, {}).items()
            if number in others
        )
        return [(one, other) for one, other in both if one is not None and other is not None]


def quantity_of(sample: Sample, quantity: str) -> float | None:
    """Give a quantity of a sample; None when it has none of that name."""
    return {"cpu": sample.cpu, "wall": sample.wall}.get(quantity, sample.extra.get(quantity))
