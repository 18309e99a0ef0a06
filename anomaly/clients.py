"""What is remembered of a client, of a network and of a route: bounded, a few hundred bytes each."""

from array import array
from typing import Final

from anomaly.event import NOBODY

ROUTE_BINS: Final = 32
"""Routes are counted per client by their index modulo this."""
LAST_ROUTES: Final = 10
WINDOW: Final = 600.0
"""Seconds after which the sets of objects and of clients start anew (two generations are kept)."""

# Indices of `ClientState.ew`, the exponentially weighted means and decayed counts.
(
    SHORT_RATE, LONG_RATE, INTERVAL, INTERVAL_SQUARE, SURPRISE, OWN_SURPRISE, NEW_ROUTE, REPEAT, NOVELTY, FOREIGN,
    ERRORS, DENIALS, THROTTLED, SLOW, REQUEST_SIZE, RESPONSE_SIZE, VOLUME, NEW_NETWORK, NEW_AGENT, BAD_PROOF, MOVES,
    SHORT_PEAK, SHORT_BEFORE, SHORT_PAST, LONG_PEAK, LONG_BEFORE, LONG_PAST,
) = range(27)  # fmt: skip
EW_LENGTH: Final = 27
PEAK_SPAN: Final = 1_800.0
"""Seconds that peaks of the pace are kept apart for: what counts as past is at least as old."""


class ClientState:
    """A client's recent past; also that of whoever is unknown on a network."""

    __slots__ = (
        "agent", "count", "counts", "ew", "first", "forged", "home", "home_before", "home_first", "known", "last",
        "level", "listed", "objects", "objects_before", "previous", "risen", "streak", "trail", "window",
    )  # fmt: skip

    def __init__(self, now: float, features: int) -> None:
        self.first = now
        self.last = now
        self.count = 0
        self.known = 0.0
        """How many events its habit was learned from, weighted."""
        self.window = now
        self.objects = 0
        self.objects_before = 0
        self.previous = -1
        self.agent = NOBODY
        # The last three networks, the newest first. Not a tuple, which would take 48 bytes more a client.
        self.home = self.home_before = self.home_first = NOBODY
        self.listed = 0.0
        """Until when an analyst's label keeps it silent."""
        self.streak = 0
        self.forged = 0
        self.level = 0.0
        """Accumulated evidence."""
        self.risen = now
        """When that was last brought up to date."""
        # One array and one bytearray: each object more costs 64 bytes a client.
        self.ew = array("f", bytes(4 * (EW_LENGTH + features)))
        """The means and counts named above, and from EW_LENGTH on the habit: the usual value of each feature."""
        self.counts = bytearray(ROUTE_BINS + 24)
        """How often it took the routes of each bin, and was there in each hour of the day (UTC)."""
        self.trail = b""


class NetworkState:
    """A network's recent past."""

    __slots__ = (
        "clients", "clients_before", "count", "denials", "first", "last", "level", "requests", "risen",
        "usual_clients", "usual_denials", "window",
    )  # fmt: skip

    def __init__(self, now: float) -> None:
        self.first = now
        self.last = now
        self.count = 0
        self.window = now
        self.clients = 0
        self.clients_before = 0
        self.requests = 0.0
        self.denials = 0.0
        self.usual_clients = 0.0
        self.usual_denials = 0.0
        self.level = 0.0
        self.risen = now


class RouteState:
    """A route's recent past: how often, how it ends, how large and how slow it is, and who comes."""

    __slots__ = (
        "answered",
        "answered_square",
        "asked",
        "asked_square",
        "count",
        "errors",
        "index",
        "last",
        "latency",
        "latency_square",
        "level",
        "rate",
        "risen",
        "strangers",
        "usual_errors",
        "usual_rate",
        "usual_strangers",
    )  # fmt: skip

    def __init__(self, index: int, now: float) -> None:
        self.index = index
        self.count = 0
        self.last = now
        self.rate = 0.0
        self.usual_rate = 0.0
        self.errors = 0.0
        self.usual_errors = 0.0
        self.strangers = 0.0
        self.usual_strangers = 0.0
        self.asked = self.asked_square = 0.0
        self.answered = self.answered_square = 0.0
        self.latency = self.latency_square = 0.0
        self.level = 0.0
        self.risen = now
