"""Gathers unusual requests into episodes, so that one attack is one alert."""

from collections import OrderedDict
from dataclasses import dataclass
from math import exp
from typing import Final

from anomaly.rules import Rule
from anomaly.scorer import Key
from anomaly.state import State, Value, take, take_member, take_row

FLOOR: Final = 1.8
"""Ranks below this never count: one usual request in sixty is above."""
_QUIET: Final = 600.0
_KEYS: Final = 4_096
_OPEN: Final = 1_024
_LOWEST: Final = 2.6
_HIGHEST: Final = 8.0
_ROUTE: Final = 3.0


@dataclass(slots=True)
class Episode:
    """One stretch of unusual requests of one key.

    Attributes:
        number: counts up from 1.
        key: whom it is about.
        who: pseudonym of the client or network, or the hash of the route.
        opened: time of the request that opened it.
        last: time of the newest unusual request in it.
        requests: unusual requests in it.
        value: the highest rank in it.
        rule: the rule that was broken, or None when the model alone speaks.
    """

    number: int
    key: Key
    who: int
    opened: float
    last: float
    requests: int
    value: float
    rule: Rule | None


class Episodes:
    """Opens an episode when a key's unusual requests add up, and closes it after ten quiet minutes.

    What a rank exceeds the floor by heats the request's keys; heat fades within ten minutes. A key hotter than the bar
    has an episode. The bar moves on its own, between 2.6 and 8: each opening raises it, each request lowers it, so that
    in the long run there are `budget` episodes in 10,000 requests. Bounded: 4,096 warm keys, 1,024 open episodes; who
    makes more pushes out the coldest and the oldest.

    Args:
        budget: episodes per 10,000 requests to be aimed at, true ones included.
    """

    def __init__(self, budget: float = 3.0) -> None:
        self.bar = _LOWEST
        self.opened = 0
        self.dropped = 0
        self._rate = budget / 10_000.0
        self._heat: OrderedDict[tuple[Key, int], tuple[float, float]] = OrderedDict()
        self._open: OrderedDict[tuple[Key, int], Episode] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def of(self, key: Key, who: int, now: float) -> Episode | None:
        """Return the open episode of a key, or None."""
        episode = self._open.get((key, who))
        return episode if episode is not None and now - episode.last <= _QUIET else None

    def observe(
        self, now: float, value: float, keys: tuple[tuple[Key, int], ...], rule: Rule | None
    ) -> tuple[Episode | None, bool]:
        """Take a score; return the episode that the request belongs to, if any, and whether it was opened just now.

        Args:
            now: the event's time.
            value: the rank.
            keys: whom the request may count against, the most specific first.
            rule: the rule that it broke, or None.
        """
        self.bar -= 0.05 * self._rate
        if self.bar < _LOWEST:
            self.bar = _LOWEST
        if value < FLOOR and rule is None:
            return None, False
        for key in keys:
            episode = self._open.get(key)
            if episode is None:
                continue
            if now - episode.last > _QUIET:
                del self._open[key]
            elif rule is None or (episode.rule is not None and key == keys[0]):  # a rule names its subject
                episode.last = now
                episode.requests += 1
                episode.value = max(episode.value, value)
                return episode, False
        for key in keys:
            heat, since = self._heat.pop(key, (0.0, now))
            heat = heat * exp((since - now) / _QUIET) + max(0.0, value - FLOOR)
            if rule is not None or heat >= self.bar * (_ROUTE if key[0] is Key.ROUTE else 1.0):
                return self._begin(key, now, value, rule), True
            self._heat[key] = (heat, now)
            if len(self._heat) > _KEYS:
                self._heat.popitem(last=False)
        return None, False

    def _begin(self, key: tuple[Key, int], now: float, value: float, rule: Rule | None) -> Episode:
        self.opened += 1
        self.bar = min(_HIGHEST, self.bar + 0.05)
        episode = self._open[key] = Episode(self.opened, key[0], key[1], now, now, 1, value, rule)
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)
            self.dropped += 1
        return episode

    def state(self) -> State:
        """Return everything that is open or warm."""
        heat: list[Value] = [[key.value, who, *pair] for (key, who), pair in self._heat.items()]
        episodes: list[Value] = [
            [e.number, e.key.value, e.who, e.opened, e.last, e.requests, e.value, e.rule and e.rule.value]
            for e in self._open.values()
        ]
        return {
            "bar": self.bar, "opened": self.opened, "dropped": self.dropped, "heat": heat, "episodes": episodes,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        heat: OrderedDict[tuple[Key, int], tuple[float, float]] = OrderedDict()
        for row in take(state, "heat", list)[:_KEYS]:
            key, who, warmth, since = take_row(row, (str, int, float, float))
            heat[(take_member(Key, key), who)] = (warmth, since)
        episodes: OrderedDict[tuple[Key, int], Episode] = OrderedDict()
        for row in take(state, "episodes", list)[:_OPEN]:
            kinds = (int, str, int, float, float, int, float)
            name = row[-1] if isinstance(row, list) and row else None
            kind = type(None) if name is None else str
            number, key, who, opened, last, requests, value, _ = take_row(row, (*kinds, kind))
            rule = None if name is None else take_member(Rule, name)
            about = take_member(Key, key)
            episodes[(about, who)] = Episode(number, about, who, opened, last, requests, value, rule)
        self.bar, self.opened = take(state, "bar", float), take(state, "opened", int)
        self.dropped = take(state, "dropped", int)
        self._heat, self._open = heat, episodes
