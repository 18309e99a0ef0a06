"""Scores every event per client, per network and per route, and learns from it."""

from enum import StrEnum
from math import log1p
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anomaly.clients import EW_LENGTH, ClientState
from anomaly.detectors.ranks import TailRank
from anomaly.detectors.tails import Tails
from anomaly.event import ApiEvent
from anomaly.features import FEATURES, OF_CLIENT, FeatureExtractor
from anomaly.guard import BurstGuard
from anomaly.priors import EVIDENCE_TENTH, EVIDENCE_TOP, SCALES, WEIGHTS
from anomaly.snapshot import features_state, restore_features
from anomaly.state import State, take

Floats = NDArray[np.floating]

_SETTLED: Final = 20.0
_TRUST: Final = 0.9
_SHARE: Final = 20.0
_PACE: Final = 0.02
_ALLOWANCE: Final = 1.2
_CAP: Final = 60.0
_MEMORY: Final = 3_600.0
_STRONG: Final = 8.0
_GAIN: Final = 1.0
_HABIT: Final = 4 * EW_LENGTH


class Key(StrEnum):
    """Whom a score is about."""

    CLIENT = "client"
    NETWORK = "network"
    ROUTE = "route"


class Score(NamedTuple):
    """How unusual an event is.

    Attributes:
        value: -log10 of the share of usual events that are as unusual, the largest over the keys.
        key: the key that gives it.
        evidence: the weighted sum of tails before ranking.
        second: the largest value of another key than `key`: two independent keys allow a graver answer.
    """

    value: float
    key: Key
    evidence: float
    second: float


class Scorer:
    """The model: features, tails, habits, ranks.

    An event's features are compared with the population's tails; what is a client's own habit is discounted (the more,
    the better it is known, never wholly). The weighted sum is the evidence. It is ranked, and what exceeds an allowance
    accumulates per key, fading within the hour. Evidence together with what its key has accumulated is ranked again,
    online, per key; the largest is the score.

    Args:
        clients: clients remembered at most.
    """

    def __init__(self, clients: int = 10_000) -> None:
        self.features = FeatureExtractor(clients)
        self.tails = Tails(SCALES, WEIGHTS)
        self.guard = BurstGuard()
        self.evidence_rank = TailRank(EVIDENCE_TOP, EVIDENCE_TENTH, prior=500.0)
        self.ranks = {
            key: TailRank(EVIDENCE_TOP, EVIDENCE_TENTH, prior=500.0, phase=phase)
            for key, phase in zip(Key, (32, 64, 96), strict=True)
        }
        self._client_rank, self._network_rank, self._route_rank = (self.ranks[key] for key in Key)
        self.values: list[float] = [0.0] * len(FEATURES)
        self.parts: Floats = np.zeros(len(FEATURES))
        """Each feature's share of the evidence of the event just scored."""

    def process(self, event: ApiEvent) -> Score:
        """Score an event, then learn it. O(1), tens of microseconds."""
        features = self.features
        values = features.take(event)
        self.values = values
        who, network, route = features.client, features.network, features.route
        x = np.array(values)
        tails = self.tails.tails(x)
        habit = np.frombuffer(who.ew, np.float32, offset=_HABIT)
        known = who.known
        trust = _TRUST * known / (known + _SETTLED)
        excess: Floats = (x - habit) * (1.0 / 0.15)
        np.maximum(excess, 0.0, out=excess)
        np.minimum(excess, 1.0, out=excess)
        excess -= 1.0
        excess *= trust
        excess += 1.0
        excess[OF_CLIENT:] = 1.0
        excess *= tails
        excess *= self.tails.weights
        self.parts = excess
        evidence = float(excess.sum())

        now = features.now
        rank = self.evidence_rank.rank(evidence)
        step = rank - _ALLOWANCE
        odd = rank if rank < 1.0 else 1.0
        best, second, key = -1.0, -1.0, Key.CLIENT
        gains = []
        for kind, state, ranks in (
            (Key.CLIENT, who, self._client_rank),
            (Key.NETWORK, network, self._network_rank),
            (Key.ROUTE, route, self._route_rank),
        ):
            fade = 1.0 - (now - state.risen) / _MEMORY
            level = state.level * fade + step if fade > 0.0 else step
            level = 0.0 if level < 0.0 else (level if level < _CAP else _CAP)
            state.level = level
            state.risen = now
            total = evidence + _GAIN * odd * log1p(level)
            gains.append(total)
            value = ranks.rank(total)
            if value > best:
                best, second, key = value, best, kind
            elif value > second:
                second = value
        self._learn(who, x, evidence, gains, best)
        return Score(best, key, evidence, second)

    def _learn(self, who: ClientState, x: Floats, evidence: float, totals: list[float], rank: float) -> None:
        busy = who.ew[1]
        weight = self.guard.weight(rank)
        share = weight / (1.0 + busy / _SHARE)
        self.tails.learn_array(x, share)
        self.evidence_rank.learn(evidence, weight)
        self._client_rank.learn(totals[0], weight)
        self._network_rank.learn(totals[1], weight)
        self._route_rank.learn(totals[2], weight)
        if who.level > _STRONG:
            share *= 0.1
        known = who.known = who.known + share
        pace = share / known if known < 1.0 / _PACE else share * _PACE
        habit = np.frombuffer(who.ew, np.float32, offset=_HABIT)
        habit += pace * (x - habit)

    def state(self) -> State:
        """Return everything it has learned."""
        return {
            "features": features_state(self.features), "tails": self.tails.state(), "guard": self.guard.state(),
            "evidence": self.evidence_rank.state(),
            "ranks": {key.value: rank.state() for key, rank in self.ranks.items()},
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        restore_features(self.features, take(state, "features", dict))
        self.tails.restore(take(state, "tails", dict))
        self.guard.restore(take(state, "guard", dict))
        self.evidence_rank.restore(take(state, "evidence", dict))
        ranks: State = take(state, "ranks", dict)
        for key, rank in self.ranks.items():
            rank.restore(take(ranks, key.value, dict))
