"""Behavior analysis as a service uses it: one object, one call an event."""

from typing import Final, NamedTuple

from anomaly.drift import DriftMonitor
from anomaly.episodes import Episode, Episodes
from anomaly.event import NOBODY, ApiEvent
from anomaly.explain import Explanation, explain
from anomaly.labels import Labels
from anomaly.rules import Rule, check
from anomaly.scorer import Key, Score, Scorer
from anomaly.state import State, take

_EXPECTED: Final = 30 * 86_400.0
_DRIFT_STRIDE: Final = 8


class Observation(NamedTuple):
    """What came of an event.

    Attributes:
        score: how unusual it is.
        rule: the rule it broke, or None.
        episode: the episode that it belongs to, or None.
        explanation: why the episode was opened, with the event that opened it; None otherwise.
    """

    score: Score
    rule: Rule | None
    episode: Episode | None
    explanation: Explanation | None


class Watch:
    """Scores events, applies the rules, gathers episodes and explains them. For one thread of one process.

    Several workers of a service each need their own, or send their events to one.

    Args:
        clients: clients remembered at most.
        warm_up: events before the model may open episodes; the rules speak at once.
    """

    def __init__(self, clients: int = 10_000, *, warm_up: int = 1_000) -> None:
        self.scorer = Scorer(clients)
        self.episodes = Episodes()
        self.drift = DriftMonitor()
        self.labels = Labels()
        self.seen = 0
        self._warm_up = warm_up

    def observe(self, event: ApiEvent) -> Observation:
        """Take an answered request; O(1), some tens of microseconds, more when an episode is opened."""
        self.seen += 1
        score = self.scorer.process(event)
        who = self.scorer.features.client
        now = self.scorer.features.now
        if self.seen % _DRIFT_STRIDE == 0:
            self.drift.observe(event.client or event.network, self.scorer.values)
        rule = check(event, who)
        silent = self.seen <= self._warm_up or now < who.listed
        value = 0.0 if silent else score.value - self.labels.allowance(event.client)
        network, route = (Key.NETWORK, event.network), (Key.ROUTE, self.scorer.features.route.index)
        keys: tuple[tuple[Key, int], ...] = (network, route)
        if event.client != NOBODY:
            keys = ((Key.CLIENT, event.client), network, route)
            if rule is Rule.REPLAYED_NONCE or rule is Rule.BAD_SIGNATURES:
                keys = (network,)  # whose key is named need not be who sent it
        episode, opened = self.episodes.observe(now, value, keys, rule)
        explanation = explain(self.scorer, episode, event.client) if episode is not None and opened else None
        return Observation(score, rule, episode, explanation)

    def risk(self, client: int, network: int, now: float) -> float:
        """Return what is known before a request is answered: the rank at which its open episode stands, or 0.

        O(1), about a microsecond, and changes nothing.
        """
        now += self.scorer.features.offset
        episode = self.episodes.of(Key.CLIENT, client, now) if client != NOBODY else None
        episode = episode or self.episodes.of(Key.NETWORK, network, now)
        return 0.0 if episode is None else episode.value

    def expect(self, client: int, now: float, seconds: float = _EXPECTED) -> bool:
        """Keep the model silent about a client for some time: its automation is expected. The rules go on.

        Returns whether the client is known.
        """
        who = self.scorer.features.clients.peek(client)
        if who is None:
            return False
        who.listed = now + self.scorer.features.offset + seconds
        who.level = 0.0
        return True

    def state(self) -> State:
        """Return everything it has learned."""
        return {
            "scorer": self.scorer.state(), "episodes": self.episodes.state(), "drift": self.drift.state(),
            "seen": self.seen, "warm up": self._warm_up,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        After an error nothing may be assumed of this object: make a new one.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        self.scorer.restore(take(state, "scorer", dict))
        self.episodes.restore(take(state, "episodes", dict))
        self.drift.restore(take(state, "drift", dict))
        self.seen, self._warm_up = take(state, "seen", int), take(state, "warm up", int)
