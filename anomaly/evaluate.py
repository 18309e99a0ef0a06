"""Prequential evaluation: score, then learn, in the order of arrival; thresholds are set online."""

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from anomaly.detectors.peers import PEERS, hourly_forest, prequential
from anomaly.detectors.ranks import TailRank
from anomaly.episodes import Episode, Episodes
from anomaly.features import FeatureExtractor
from anomaly.metrics import average_precision, recall_at, roc_auc
from anomaly.scorer import Key
from anomaly.simulate import LabelledEvent
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
    found: float
    false_episodes: float
    delay: float
    microseconds: float
    kinds: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The lowest ROC-AUC of a kind."""
        return min(self.kinds.values(), default=float("nan"))


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
        return len(self.delays) / len(self.requests) if self.requests else float("nan")

    def delay(self) -> float:
        return statistics.median(self.delays.values()) if self.delays else float("nan")


def _quality(rows: Sequence[LabelledEvent], scores: Sequence[float], incidents: _Incidents, seconds: float) -> Quality:
    labels = np.array([bool(row.attack) for row in rows])[incidents.skip :]
    kinds = np.array([row.attack for row in rows])[incidents.skip :]
    values = np.array(scores)[incidents.skip :]
    by_kind = {
        str(kind): roc_auc(labels[chosen], values[chosen])
        for kind in np.unique(kinds[labels])
        for chosen in ((kinds == kind) | ~labels,)
    }
    return Quality(
        auc=roc_auc(labels, values),
        ap=average_precision(labels, values),
        recall_1=recall_at(labels, values, 0.01) if labels.any() else float("nan"),
        recall_01=recall_at(labels, values, 0.001) if labels.any() else float("nan"),
        found=incidents.found(),
        false_episodes=1e4 * incidents.false / max(1, incidents.benign),
        delay=incidents.delay(),
        kinds=by_kind,
        microseconds=1e6 * seconds / len(rows),
    )


def evaluate(rows: Iterable[LabelledEvent], watch: Watch | None = None) -> Quality:
    """Run our own detector over a stream."""
    watch = Watch() if watch is None else watch
    events = list(rows)
    incidents = _Incidents(int(COLD * len(events)))
    scores = []
    seconds = 0.0
    for row in events:
        start = time.perf_counter()
        seen = watch.observe(row.event)
        seconds += time.perf_counter() - start
        scores.append(seen.score.value)
        incidents.count(row, seen.episode, seen.explanation is not None)
    return _quality(events, scores, incidents, seconds)


def evaluate_peers(rows: Iterable[LabelledEvent], names: Iterable[str] = (*PEERS, FOREST)) -> dict[str, Quality]:
    """Run other detectors over a stream: the same features, the same order, and the same gathering into episodes.

    A peer's scores are ranked online as ours are, without our guard, and heat client, network and route alike.
    """
    events = list(rows)
    features = FeatureExtractor()
    vectors, routes = [], []
    for row in events:
        vectors.append(features.take(row.event))
        routes.append(features.route.index)
    qualities = {}
    for name in names:
        start = time.perf_counter()
        if name == FOREST:
            scores = hourly_forest([row.event.time for row in events], vectors)
        else:
            scores = prequential(PEERS[name](), vectors)
        seconds = time.perf_counter() - start
        incidents = _gather(events, scores, routes)
        qualities[name] = _quality(events, scores, incidents, seconds)
    return qualities


def _gather(events: Sequence[LabelledEvent], scores: Sequence[float], routes: Sequence[int]) -> _Incidents:
    incidents = _Incidents(int(COLD * len(events)))
    low = min(scores)
    width = max(np.quantile(scores[: incidents.skip] or [1.0], 0.99) - low, 1e-9)
    # Four times the 99 % of the cold start is the top of the histogram; beyond it ranks go on growing slowly.
    rank = TailRank(4.0 * float(width), float(width) / 2.0)
    episodes = Episodes()
    for place, (row, score) in enumerate(zip(events, scores, strict=True)):
        event = row.event
        value = rank.rank(score - low) if place >= incidents.skip else 0.0
        rank.learn(score - low)
        keys = ((Key.NETWORK, event.network), (Key.ROUTE, routes[place]))
        episode, opened = episodes.observe(
            event.time, value, ((Key.CLIENT, event.client), *keys) if event.client else keys, None
        )
        incidents.count(row, episode, opened)
    return incidents
