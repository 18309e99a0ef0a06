"""Prequential evaluation: score, then learn, in the order of arrival; thresholds are set online."""

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.peers import PEERS, hourly_forest, prequential
from anomaly.detectors.ranks import TailRank
from anomaly.episodes import Episode, Episodes
from anomaly.event import LabelledEvent
from anomaly.features import FeatureExtractor
from anomaly.guard import BurstGuard
from anomaly.metrics import average_precision, recall_at, roc_auc
from anomaly.scorer import Key
from anomaly.watch import Watch

COLD: float = 0.1
"""The share of a stream that is learned from and not reported."""
OURS = "secure-api"
FOREST = "iForest, hourly"


@dataclass(slots=True)
class Quality:
    """How one detector did on one stream, its first tenth left out.

    Attributes:
        auc: ROC-AUC over requests.
        ap: average precision.
        recall_1: recall at 1 % false positive requests (threshold with hindsight).
        recall_01: the same at 0.1 %.
        online_1: recall at a threshold for 1 % that is set online, from the scores before.
        online_01: the same for 0.1 %.
        realized_1: the false positive requests that this threshold really gave, as a share.
        realized_01: the same for 0.1 %.
        found: share of incidents with at least one request in an episode (threshold online).
        false_episodes: episodes that a benign request opened, per 10,000 benign requests.
        delay: median, over found incidents, of its requests until the first in an episode.
        kinds: ROC-AUC by kind of attack, against all benign requests.
        microseconds: mean process time per event, features included for ours, without them for peers.
    """

    auc: float
    ap: float
    recall_1: float
    recall_01: float
    online_1: float
    online_01: float
    realized_1: float
    realized_01: float
    found: float
    false_episodes: float
    delay: float
    microseconds: float
    kinds: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The lowest ROC-AUC of a kind."""
        return min(self.kinds.values(), default=nan)


@dataclass(slots=True)
class _Incidents:
    """Counts which incidents were found, after how many requests, and what was opened for nothing."""

    skip: int
    at: int = 0
    benign: int = 0
    false: int = 0
    requests: dict[int, int] = field(default_factory=dict)
    delays: dict[int, int] = field(default_factory=dict)

    def count(self, row: LabelledEvent, episode: Episode | None, opened: bool) -> None:
        self.at += 1
        if row.incident:
            self.requests[row.incident] = self.requests.get(row.incident, 0) + 1
            if episode is not None:
                self.delays.setdefault(row.incident, self.requests[row.incident])
        elif self.at > self.skip:
            self.benign += 1
            self.false += opened

    def found(self) -> float:
        return len(self.delays) / len(self.requests) if self.requests else nan

    def delay(self) -> float:
        return statistics.median(self.delays.values()) if self.delays else nan


def calibrated(scores: Sequence[float], skip: int) -> list[float]:
    """Return the rank of each score among the usual ones before it; 0 for the first `skip`, which set the scale.

    For our scores and for a peer's alike: the same histogram, and the same guard against learning a burst.
    """
    low = min(scores, default=0.0)
    width = max(float(np.quantile(scores[:skip] or [1.0], 0.99)) - low, 1e-9)
    # Four times the 99 % of the cold start is the top of the histogram; beyond it ranks go on growing slowly.
    rank, guard = TailRank(4.0 * width, width / 2.0), BurstGuard()
    ranks = []
    for place, score in enumerate(scores):
        value = rank.rank(score - low)
        ranks.append(value if place >= skip else 0.0)
        rank.learn(score - low, guard.weight(value))
    return ranks


def _above(ranks: NDArray[np.float64], labels: NDArray[np.bool_], bar: float) -> tuple[float, float]:
    over = ranks > bar
    return (float(over[labels].mean()) if labels.any() else nan), (nan if labels.all() else float(over[~labels].mean()))


def quality_of(kinds: NDArray[np.str_], scores: Sequence[float], skip: int, seconds: float) -> Quality:
    """Measure scores against the truth.

    Args:
        kinds: the kind of attack of each row, "" for none.
        scores: the score of each.
        skip: rows at the beginning that are not reported.
        seconds: how long the scores took in all.

    Returns:
        what can be said of rows; of incidents there are none.
    """
    kinds, values = kinds[skip:], np.array(scores)[skip:]
    labels = kinds != ""
    ranks = np.array(calibrated(scores, skip))[skip:]
    (online_1, realized_1), (online_01, realized_01) = (_above(ranks, labels, bar) for bar in (2.0, 3.0))
    both = bool(labels.any()) and not bool(labels.all())
    return Quality(
        auc=roc_auc(labels, values),
        ap=average_precision(labels, values) if both else nan,
        recall_1=recall_at(labels, values, 0.01) if both else nan,
        recall_01=recall_at(labels, values, 0.001) if both else nan,
        online_1=online_1,
        online_01=online_01,
        realized_1=realized_1,
        realized_01=realized_01,
        found=nan,
        false_episodes=nan,
        delay=nan,
        kinds={
            str(kind): roc_auc(labels[chosen], values[chosen])
            for kind in np.unique(kinds[labels])
            for chosen in ((kinds == kind) | ~labels,)
        },
        microseconds=1e6 * seconds / max(1, len(scores)),
    )


def _quality(rows: Sequence[LabelledEvent], scores: Sequence[float], incidents: _Incidents, seconds: float) -> Quality:
    quality = quality_of(np.array([row.attack for row in rows]), scores, incidents.skip, seconds)
    quality.found = incidents.found()
    quality.false_episodes = 1e4 * incidents.false / max(1, incidents.benign)
    quality.delay = incidents.delay()
    return quality


def evaluate(rows: Iterable[LabelledEvent], watch: Watch | None = None) -> Quality:
    """Run our own detector over a stream."""
    watch = Watch() if watch is None else watch
    events = list(rows)
    incidents = _Incidents(int(COLD * len(events)))
    scores = []
    seconds = 0.0
    for row in events:
        start = time.process_time()
        seen = watch.observe(row.event)
        seconds += time.process_time() - start
        scores.append(seen.score.value)
        incidents.count(row, seen.episode, seen.explanation is not None)
    return _quality(events, scores, incidents, seconds)


def evaluate_peers(rows: Iterable[LabelledEvent], names: Iterable[str] = (*PEERS, FOREST)) -> dict[str, Quality]:
    """Run other detectors over a stream: the same features, the same order, and the same gathering into episodes.

    A peer's scores are ranked online as ours are, with our guard, and heat client, network and route alike.
    """
    events = list(rows)
    features = FeatureExtractor()
    vectors, routes = [], []
    for row in events:
        vectors.append(features.take(row.event))
        routes.append(features.route.index)
    qualities = {}
    for name in names:
        start = time.process_time()
        if name == FOREST:
            scores = hourly_forest([row.event.time for row in events], vectors)
        else:
            scores = prequential(PEERS[name](), vectors)
        seconds = time.process_time() - start
        incidents = _gather(events, scores, routes)
        qualities[name] = _quality(events, scores, incidents, seconds)
    return qualities


def _gather(events: Sequence[LabelledEvent], scores: Sequence[float], routes: Sequence[int]) -> _Incidents:
    incidents = _Incidents(int(COLD * len(events)))
    episodes = Episodes()
    for row, value, route in zip(events, calibrated(scores, incidents.skip), routes, strict=True):
        event = row.event
        keys = ((Key.NETWORK, event.network), (Key.ROUTE, route))
        episode, opened = episodes.observe(
            event.time, value, ((Key.CLIENT, event.client), *keys) if event.client else keys, None
        )
        incidents.count(row, episode, opened)
    return incidents
