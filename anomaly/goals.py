"""The goals that an evaluation is held against, and the table of both."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final, NamedTuple

from anomaly.metrics import Interval, interval


class Measure(NamedTuple):
    """What is measured of a detector on a stream.

    Attributes:
        name: its member in a quality.
        title: what a person reads.
        digits: decimals.
        goal: what is to be reached on the standard suite, or None.
        lower: lower is better.
    """

    name: str
    title: str
    digits: int
    goal: float | None = None
    lower: bool = False

    def met(self, value: float) -> bool | None:
        """Tell whether a value reaches the goal; None when there is no goal or no value."""
        if self.goal is None or isnan(value):
            return None
        return value <= self.goal if self.lower else value >= self.goal


MEASURES: Final = (
    Measure("auc", "ROC-AUC", 3, 0.97),
    Measure("ap", "average precision", 3, 0.88),
    Measure("recall_1", "recall at 1 % false positives, threshold with hindsight", 3, 0.75),
    Measure("recall_01", "recall at 0.1 %", 3, 0.60),
    Measure("online_1", "recall, threshold for 1 % set online", 3),
    Measure("realized_1", "false positives that it gave", 4),
    Measure("online_01", "recall, threshold for 0.1 % set online", 3),
    Measure("realized_01", "false positives that it gave ", 4),
    Measure("found", "incidents found, threshold online", 3, 0.85),
    Measure("false_episodes", "false episodes per 10,000 benign requests", 2, 3.0, lower=True),
    Measure("delay", "median delay in requests", 1, 10.0, lower=True),
    Measure("worst", "ROC-AUC of the worst kind", 3, 0.90),
    Measure("microseconds", "microseconds per request", 1),
)


def summary(qualities: Sequence[Mapping[str, object]]) -> dict[str, Interval]:
    """Return mean and 95 % interval of every measure over several streams; those without a value are left out."""
    found = {}
    for measure in MEASURES:
        values = [value for quality in qualities if isinstance(value := quality.get(measure.name), (int, float))]
        if there := [float(value) for value in values if not isnan(value)]:
            found[measure.name] = interval(there)
    kinds: dict[str, list[float]] = {}
    for quality in qualities:
        by_kind = quality.get("kinds")
        for kind, value in by_kind.items() if isinstance(by_kind, Mapping) else ():
            if not isnan(value):
                kinds.setdefault(str(kind), []).append(float(value))
    return found | {f"AUC of {kind}": interval(values) for kind, values in sorted(kinds.items())}
