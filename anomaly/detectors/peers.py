"""Other people's detectors behind our protocol, to be measured beside ours: river's, scikit-learn's, a rate limit.

The libraries are imported when a peer is made, not before.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from anomaly.detectors.random_cut import RandomCutForest
from anomaly.errors import LibraryMissing

_HOUR: Final = 3_600.0


class Peer:
    """A detector that is scored and taught, and neither explained nor saved.

    Args:
        score: returns how unusual a vector is.
        learn: takes a vector in.
    """

    def __init__(self, score: Callable[[Sequence[float]], float], learn: Callable[[Sequence[float]], None]) -> None:
        self.score = score
        self.learn = learn


def rate_limit() -> Peer:
    """What a fixed rate limit knows: the client's rate over ten seconds, the first feature."""
    return Peer(lambda x: x[0], lambda x: None)


def _river(make: Callable[[Any], Any]) -> Peer:
    try:
        from river import anomaly
    except ImportError as error:
        raise LibraryMissing("river") from error
    model = make(anomaly)
    return Peer(
        lambda x: float(model.score_one(dict(enumerate(x)))),
        lambda x: model.learn_one(dict(enumerate(x))),
    )


def half_space_trees(trees: int, window: int) -> Peer:
    """River's HalfSpaceTrees of height 8; the features are in [0, 1] as they must be."""
    return _river(lambda anomaly: anomaly.HalfSpaceTrees(n_trees=trees, height=8, window_size=window, seed=1))


def loda() -> Peer:
    """River's LODA."""
    return _river(lambda anomaly: anomaly.LODA())


def one_class_svm() -> Peer:
    """River's one-class SVM."""
    return _river(lambda anomaly: anomaly.OneClassSVM())


def largest_deviation() -> Peer:
    """The largest of river's StandardAbsoluteDeviation over the features."""
    try:
        from river import anomaly
    except ImportError as error:
        raise LibraryMissing("river") from error
    scalers: list[Any] = []

    def each(x: Sequence[float]) -> list[Any]:
        while len(scalers) < len(x):
            scalers.append(anomaly.StandardAbsoluteDeviation())
        return scalers

    def learn(x: Sequence[float]) -> None:
        for scaler, value in zip(each(x), x, strict=True):
            scaler.learn_one(None, value)

    return Peer(lambda x: max(abs(float(s.score_one(None, value))) for s, value in zip(each(x), x, strict=True)), learn)


def hourly_forest(times: Sequence[float], rows: Sequence[Sequence[float]], *, seed: int = 1) -> list[float]:
    """Score rows by scikit-learn's IsolationForest, refitted each hour on the latest 8,192 rows before it.

    The slow reference: too slow for one row at a time (4 ms), so it scores the hour in one batch, with a forest that
    has seen nothing of that hour. Scores of the first hour are 0.

    Raises:
        LibraryMissing: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]  # it ships no types
    except ImportError as error:
        raise LibraryMissing("scikit-learn") from error
    matrix, clock = np.asarray(rows), np.asarray(times)
    edges = [*np.searchsorted(clock, np.arange(clock[0], clock[-1], _HOUR)).tolist(), len(clock)]
    scores = np.zeros(len(clock))
    for start, end in itertools.pairwise(edges[1:]):
        if end > start:
            forest = IsolationForest(n_estimators=100, random_state=seed).fit(matrix[max(0, start - 8_192) : start])
            scores[start:end] = -forest.score_samples(matrix[start:end])
    return [float(score) for score in scores]


def random_cut_forest() -> Peer:
    """Our own small random cut forest."""
    forest = RandomCutForest()
    return Peer(forest.score, forest.learn)


PEERS: Final[Mapping[str, Callable[[], Peer]]] = {
    "fixed rate limit": rate_limit,
    "HST(10, 250)": lambda: half_space_trees(10, 250),
    "HST(25, 2500)": lambda: half_space_trees(25, 2_500),
    "LODA": loda,
    "one-class SVM": one_class_svm,
    "max SAD": largest_deviation,
    "RRCF, our own, subsampled": random_cut_forest,
}


def prequential(peer: Peer, rows: Iterable[Sequence[float]]) -> list[float]:
    """Score each row, then learn it, in order."""
    scores = []
    for row in rows:
        scores.append(peer.score(row))
        peer.learn(row)
    return scores
