"""What is usual on a route, and which route follows which."""

from math import exp, log, log1p, sqrt
from typing import Final

from anomaly.clients import RouteState

MAX_ROUTES: Final = 255
"""Routes with a memory of their own; what comes after shares the last one."""
_ROW_LIMIT: Final = 4_096
_SURPRISE: Final = 9.0


class Routes:
    """Per-route statistics, and an order-1 Markov chain over routes with Dirichlet smoothing.

    Bounded: 255 routes and "others"; a row of the chain is halved when it has 4,096 counts.
    """

    __slots__ = ("names", "rows", "table", "totals")

    def __init__(self) -> None:
        self.table: dict[str, RouteState] = {}
        self.names: list[str] = []
        self.rows: dict[int, dict[int, float]] = {}
        self.totals: dict[int, float] = {}

    def touch(self, name: str, now: float) -> RouteState:
        """Return the state of a route, made if need be."""
        state = self.table.get(name)
        if state is None:
            if len(self.names) >= MAX_ROUTES:
                name = ""
                state = self.table.get(name)
                if state is not None:
                    return state
            state = self.table[name] = RouteState(len(self.names), now)
            self.names.append(name)
        return state

    def surprise(self, before: int, here: int, weight: float) -> float:
        """Return -log p(here | before), in [0, 1], and count the step with a weight."""
        row = self.rows.get(before)
        if row is None:
            row = self.rows[before] = {}
            self.totals[before] = 0.0
        total = self.totals[before]
        kinds = len(self.names)
        value = log((total + 0.2 * kinds + 1.0) / (row.get(here, 0.0) + 0.2)) / _SURPRISE
        row[here] = row.get(here, 0.0) + weight
        if total >= _ROW_LIMIT:
            for there in row:
                row[there] *= 0.5
            self.totals[before] = sum(row.values())
        else:
            self.totals[before] = total + weight
        return 0.0 if value < 0.0 else (value if value < 1.0 else 1.0)

    def sizes(self, route: RouteState, latency: float, asked: int, answered: int) -> tuple[float, float, float]:
        """Return how unusual latency (slow only), request and response size are for the route, each in [0, 1]."""
        weight = 0.01 if route.count > 100 else 1.0 / (route.count + 1)
        x = log(latency + 1e-4)
        gap = x - route.latency
        slow = gap / sqrt(route.latency_square + 0.04)
        route.latency += weight * gap
        route.latency_square += weight * (min(gap * gap, 4.0 * route.latency_square + 0.2) - route.latency_square)
        x = log1p(asked)
        gap = x - route.asked
        small = gap / sqrt(route.asked_square + 0.04)
        route.asked += weight * gap
        route.asked_square += weight * (min(gap * gap, 4.0 * route.asked_square + 0.2) - route.asked_square)
        x = log1p(answered)
        gap = x - route.answered
        large = gap / sqrt(route.answered_square + 0.04)
        route.answered += weight * gap
        route.answered_square += weight * (min(gap * gap, 4.0 * route.answered_square + 0.2) - route.answered_square)
        return (
            0.0 if slow < 0.0 else (slow / 8.0 if slow < 8.0 else 1.0),
            min(1.0, abs(small) / 8.0),
            min(1.0, abs(large) / 8.0),
        )

    def population(self, route: RouteState, now: float, failed: float, stranger: bool) -> tuple[float, float, float]:
        """Return how much busier, more failing and fuller of strangers the route is than it used to be; [0, 1].

        `failed` in [0, 1] says how much a failure counts.
        """
        gap = now - route.last
        if gap < 0.0:
            gap = 0.0
        rate = route.rate = route.rate * exp(-gap / 60.0) + 1.0
        usual = route.usual_rate = route.usual_rate * exp(-gap / 14_400.0) + 1.0
        route.last = now
        route.count += 1
        route.errors += 0.05 * (failed - route.errors)
        route.usual_errors += 0.002 * (failed - route.usual_errors)
        route.strangers += 0.05 * (stranger - route.strangers)
        route.usual_strangers += 0.002 * (stranger - route.usual_strangers)
        rush = 0.25 * log((rate + 2.0) / (usual / 240.0 + 2.0))
        trouble = route.errors - route.usual_errors
        strange = route.strangers - route.usual_strangers
        return (
            rush if 0.0 < rush < 1.0 else (0.0 if rush <= 0.0 else 1.0),
            trouble if trouble > 0.0 else 0.0,
            strange if strange > 0.0 else 0.0,
        )
