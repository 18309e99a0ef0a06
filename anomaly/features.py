"""Thirty-one features of an event, each in [0, 1], each O(1), in a fixed order.

Every one is made so that high is suspicious, by a fixed transform: a running minimum and maximum would let one outlier
squeeze everybody else into a corner.
"""

import hashlib
from array import array
from math import exp, log, log1p, sqrt
from typing import Final

from anomaly.clients import (
    BAD_PROOF,
    DENIALS,
    ERRORS,
    FOREIGN,
    INTERVAL,
    INTERVAL_SQUARE,
    LAST_ROUTES,
    LONG_PAST,
    LONG_PEAK,
    LONG_RATE,
    MOVES,
    NEW_AGENT,
    NEW_NETWORK,
    NEW_ROUTE,
    NOVELTY,
    OWN_SURPRISE,
    PEAK_SPAN,
    REPEAT,
    REQUEST_SIZE,
    RESPONSE_SIZE,
    ROUTE_BINS,
    SHORT_PAST,
    SHORT_PEAK,
    SHORT_RATE,
    SLOW,
    SURPRISE,
    THROTTLED,
    VOLUME,
    WINDOW,
    ClientState,
    NetworkState,
    RouteState,
)  # fmt: skip
from anomaly.entities import EntityTable
from anomaly.event import NOBODY, ApiEvent, Proof, check
from anomaly.owners import Owners
from anomaly.routes import Routes

FEATURES: Final = (
    "requests in 10 s", "requests in 10 min", "burst", "short interval", "clockwork",
    "faster than ever", "busier than ever",
    "unusual step", "unusual steps", "unlike itself", "new routes", "repetition",
    "new objects", "distinct objects", "foreign objects",
    "errors", "denials", "throttling", "slow answers",
    "odd request size", "odd response size", "bytes in 10 min",
    "new network", "new agent", "bad signatures", "odd hour",
    "clients on the network", "denials on the network",
    "rush on the route", "errors on the route", "strangers on the route",
)  # fmt: skip
GROUPS: Final = (
    0, 0, 0, 0, 1,
    14, 14,
    2, 2, 3, 3, 1,
    4, 4, 5,
    6, 7, 6, 6,
    8, 8, 9,
    10, 10, 11, 10,
    12, 12,
    13, 13, 13,
)  # fmt: skip
"""Features of one group tell of the same thing and count once."""
OF_CLIENT: Final = 26
"""The features before this index are the client's own; the others belong to its network and to the route."""

FEATURES_HASH: Final = hashlib.sha256("\n".join(FEATURES).encode()).hexdigest()[:16]

_STEP: Final = 0.1
_SHORT_USUAL: Final = 8.0
_LONG_USUAL: Final = 40.0
_HOUR: Final = 3_600.0
_SET_BACK: Final = 60.0
_MEMORY: Final = 1_800.0
_FADING: Final = (
    SURPRISE,
    NEW_ROUTE,
    FOREIGN,
    ERRORS,
    DENIALS,
    THROTTLED,
    SLOW,
    REQUEST_SIZE,
    RESPONSE_SIZE,
    BAD_PROOF,
)


class FeatureExtractor:
    """Turns events into features, over bounded memory.

    Args:
        clients: clients remembered at most; a quarter as many networks, and as many unknown clients.
    """

    def __init__(self, clients: int = 10_000) -> None:
        width = len(FEATURES)
        self.clients: EntityTable[ClientState] = EntityTable(clients, lambda _, now: ClientState(now, width))
        self.unknown: EntityTable[ClientState] = EntityTable(
            max(16, clients // 8), lambda _, now: ClientState(now, width)
        )
        self.networks: EntityTable[NetworkState] = EntityTable(max(16, clients // 4), lambda _, now: NetworkState(now))
        self.routes = Routes()
        self.owners = Owners()
        self.now = 0.0
        self.offset = 0.0
        # Of the event just taken, for the scorer: saves looking them up again.
        self.client: ClientState
        self.network: NetworkState
        self.route: RouteState

    def clock(self, time: float) -> float:
        """Return `time` on the extractor's own clock, which never goes back."""
        now = time + self.offset
        if now >= self.now:
            return now
        if now < self.now - _SET_BACK:
            self.offset = self.now - time
        return self.now

    def take(self, event: ApiEvent) -> list[float]:
        """Return the features of `event` and remember it.

        A clock that goes back a little counts as standing still; by more than a minute, as set anew: time goes on from
        where it was. One that jumps ahead ages everybody, and no more.

        Raises:
            EventError: a number of the event is negative, not finite, or too large.
        """
        check(event)
        now = self.now = self.clock(event.time)
        key = event.client
        who = self.clients.touch(key, now) if key else self.unknown.touch(event.network, now)
        network = self.networks.touch(event.network, now)
        route = self.routes.touch(event.route, now)
        self.client, self.network, self.route = who, network, route
        status, ew, count = event.status, who.ew, who.count
        denied = status == 401 or status == 403
        thing = event.object

        # Rate
        gap = now - who.last
        short = ew[SHORT_RATE] = ew[SHORT_RATE] * exp(-gap / 10.0) + 1.0
        fade = exp(-gap / WINDOW)
        long = ew[LONG_RATE] = ew[LONG_RATE] * fade + 1.0
        pause = log(gap + 0.01)
        weight = _STEP if count > 9 else 1.0 / (count + 1)
        mean = ew[INTERVAL] = ew[INTERVAL] + weight * (pause - ew[INTERVAL])
        square = ew[INTERVAL_SQUARE] = ew[INTERVAL_SQUARE] + weight * (pause * pause - ew[INTERVAL_SQUARE])
        spread = sqrt(square - mean * mean) if square > mean * mean else 0.0

        if gap > 30.0:  # what was odd an hour ago says little of this request
            rest = exp(-gap / _MEMORY)
            if gap > 2.0 * _MEMORY:
                who.streak = 0
            for kept in _FADING:
                ew[kept] *= rest

        # Pace, beside the highest that is half an hour old: whoever grows slowly stays beyond it for that long.
        if turns := int(now / PEAK_SPAN) - int(who.last / PEAK_SPAN):
            _turn(ew, SHORT_PEAK, turns)
            _turn(ew, LONG_PEAK, turns)
        if short > ew[SHORT_PEAK]:
            ew[SHORT_PEAK] = short
        if long > ew[LONG_PEAK]:
            ew[LONG_PEAK] = long

        # Sequence
        index = route.index
        slot = index % ROUTE_BINS
        mine = who.counts
        times = mine[slot]
        # The more often a client took a route, the less it says about what clients in general do.
        surprise = self.routes.surprise(who.previous, index, 1.0 / (1.0 + 0.2 * times))
        seen = count if count < 200 else 200
        own = log((seen + 3.0) / (times + 0.3)) / 6.5
        own = 0.0 if own < 0.0 else (own if own < 1.0 else 1.0)
        if times < 255:
            mine[slot] = times + 1
        else:
            for position in range(ROUTE_BINS):
                mine[position] >>= 1
        ew[SURPRISE] += _STEP * (surprise - ew[SURPRISE])
        ew[OWN_SURPRISE] += _STEP * ((own if count > 20 else 0.4) - ew[OWN_SURPRISE])
        ew[NEW_ROUTE] += _STEP * ((times == 0) - ew[NEW_ROUTE])
        ew[REPEAT] += 0.05 * ((index == who.previous) - ew[REPEAT])

        # Objects
        if now - who.window > WINDOW:
            who.objects_before = who.objects if now - who.window < 2 * WINDOW else 0
            who.objects = 0
            who.window = now
        foreign = False
        if thing:
            bit = 1 << ((thing >> 8) & 255)
            novel = not (who.objects | who.objects_before) & bit
            who.objects |= bit
            ew[NOVELTY] += _STEP * (novel - ew[NOVELTY])
            ok = status < 400
            foreign = self.owners.foreign(thing, event.organization or key or event.network, shown=ok)
            foreign = foreign or status == 403 or status == 404
            ew[FOREIGN] += _STEP * (foreign - ew[FOREIGN])
        distinct = (who.objects | who.objects_before).bit_count()
        who.streak = who.streak + 1 if foreign else (0 if thing else who.streak)

        # Outcome and payload
        failed = status >= 400
        # The first failures of a client are news for the route; those of one that keeps failing are the client's own.
        news = 1.0 - ew[ERRORS] - ew[DENIALS] if failed else 0.0
        ew[ERRORS] += _STEP * ((failed and not denied and status != 429) - ew[ERRORS])
        ew[DENIALS] += _STEP * (denied - ew[DENIALS])
        ew[THROTTLED] += _STEP * ((status == 429) - ew[THROTTLED])
        slow, asked, answered = self.routes.sizes(route, event.latency, event.request_bytes, event.response_bytes)
        ew[SLOW] += _STEP * (slow - ew[SLOW])
        ew[REQUEST_SIZE] += _STEP * (asked - ew[REQUEST_SIZE])
        ew[RESPONSE_SIZE] += _STEP * (answered - ew[RESPONSE_SIZE])
        volume = ew[VOLUME] = ew[VOLUME] * fade + event.response_bytes + event.request_bytes

        # Identity and time
        source = event.network
        moved = key != NOBODY and source != who.home and source != who.home_before and source != who.home_first
        if moved:
            who.home, who.home_before, who.home_first = source, who.home, who.home_before
        # A place stays new for a while after the first request from it; the places before stay old.
        ew[NEW_NETWORK] = ew[NEW_NETWORK] * 0.97 + (0.6 if moved and count > 4 else 0.0)
        changed = event.agent != who.agent
        ew[NEW_AGENT] = ew[NEW_AGENT] * 0.97 + (0.6 if changed and count > 0 else 0.0)
        who.agent = event.agent
        bad = event.proof >= Proof.BAD
        ew[BAD_PROOF] += _STEP * (bad - ew[BAD_PROOF])
        who.forged = who.forged + 1 if bad else 0
        hour = ROUTE_BINS + int(now // _HOUR) % 24
        odd = 1.0 - (mine[hour] + 2.0) / (min(count, 100) + 4.0) if count > 60 else 0.5
        odd = odd if odd > 0.0 else 0.0
        if count % 4 == 0 and mine[hour] < 255:
            mine[hour] += 1

        # Network
        past = now - network.last
        fade = exp(-past / WINDOW) if past > 0.0 else 1.0
        requests = network.requests = network.requests * fade + 1.0
        denials = network.denials = network.denials * fade + denied
        if now - network.window > WINDOW:
            network.clients_before = network.clients if now - network.window < 2 * WINDOW else 0
            network.clients = 0
            network.window = now
        network.clients |= 1 << (key & 127)
        crowd = (network.clients | network.clients_before).bit_count()
        network.usual_clients += 0.005 * (crowd - network.usual_clients)
        refused = denials / (requests + 3.0) - network.usual_denials
        network.usual_denials += 0.01 * (denied - network.usual_denials)
        network.last = now
        network.count += 1

        # Route
        rush, trouble, strange = self.routes.population(route, now, max(0.0, news), count < 20)

        who.last = now
        who.count = count + 1
        who.previous = index
        who.trail = who.trail[1 - LAST_ROUTES :] + bytes((index,))
        ew[MOVES] += 0.05 * (moved - ew[MOVES])
        return [
            log1p(short) / 7.0 if short < 1_095.0 else 1.0,
            log1p(long) / 9.0 if long < 8_100.0 else 1.0,
            _unit(0.5 + 0.25 * log((short + 0.5) / (long / 12.0 + 0.5))),
            _unit(0.55 - mean / 10.0),
            (1.0 / (1.0 + 2.0 * spread)) if count > 8 else 0.3,
            _beyond(short, ew[SHORT_PAST], _SHORT_USUAL),
            _beyond(long, ew[LONG_PAST], _LONG_USUAL),
            surprise,
            ew[SURPRISE],
            ew[OWN_SURPRISE],
            ew[NEW_ROUTE],
            ew[REPEAT],
            ew[NOVELTY],
            distinct / 256.0,
            ew[FOREIGN],
            ew[ERRORS],
            ew[DENIALS],
            ew[THROTTLED],
            ew[SLOW],
            ew[REQUEST_SIZE],
            ew[RESPONSE_SIZE],
            log1p(volume) / 21.0 if volume < 1.3e9 else 1.0,
            min(1.0, ew[NEW_NETWORK]),
            min(1.0, ew[NEW_AGENT]),
            ew[BAD_PROOF],
            odd,
            _unit(0.5 + 0.2 * log((crowd + 1.0) / (network.usual_clients + 1.0))),
            refused if refused > 0.0 else 0.0,
            rush,
            trouble,
            strange,
        ]


def _turn(ew: "array[float]", peak: int, turns: int) -> None:
    """Move the peaks of a pace on: the present one is before the past one, which fades within weeks."""
    before = ew[peak + 1] if turns == 1 else max(ew[peak], ew[peak + 1])
    ew[peak + 2] = max(0.998**turns * ew[peak + 2], before)
    ew[peak + 1] = ew[peak] if turns == 1 else 0.0
    ew[peak] = 0.0


def _beyond(pace: float, past: float, usual: float) -> float:
    """Return by how much a pace exceeds the highest in the past, or what everybody may have; 1 is e^4 times as much."""
    if past < usual:
        past = usual
    return 0.0 if pace <= past else min(1.0, 0.25 * log((pace + 1.0) / (past + 1.0)))


def _unit(value: float) -> float:
    return 0.0 if value < 0.0 else (1.0 if value > 1.0 else value)
