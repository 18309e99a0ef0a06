"""How well scores tell attacks from the rest, without scikit-learn."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_T: Final = (
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09,
)  # fmt: skip
"""Student's t, two-sided 95 %, for 1 to 19 degrees of freedom."""


class Interval(NamedTuple):
    """A mean and half the width of its 95 % interval (0 for a single value)."""

    mean: float
    half: float


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of some seeds' values and its 95 % interval by Student's t."""
    count = len(values)
    mean = sum(values) / count
    if count < 2:
        return Interval(mean, 0.0)
    deviation = (sum((value - mean) ** 2 for value in values) / (count - 1)) ** 0.5
    return Interval(mean, (_T[count - 2] if count <= len(_T) + 1 else 1.96) * deviation / count**0.5)


def roc_auc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve: the chance that a positive outscores a negative; ties count half."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2.0
    return float((ranks[place][labels].sum() - positives * (positives + 1) / 2.0) / positives / negatives)


def average_precision(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the mean precision over the recall steps; tied scores are one step."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.diff(scores[order]) != 0.0, True)
    hits, seen = hits[last], (np.flatnonzero(last) + 1)
    steps = np.diff(np.concatenate(([0], hits)))
    return float((steps * hits / seen).sum() / hits[-1]) if len(hits) and hits[-1] else float("nan")


def recall_at(labels: NDArray[np.bool_], scores: NDArray[np.float64], share: float) -> float:
    """Return the share of positives above the threshold that at most `share` of the negatives exceed.

    The threshold is set with hindsight: this ranks detectors, it promises nothing of a running one.
    """
    threshold = np.quantile(scores[~labels], 1.0 - share, method="higher")
    return float((scores[labels] > threshold).mean())
