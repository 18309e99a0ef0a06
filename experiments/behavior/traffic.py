"""A day of simulated traffic that goes on for ever: the same requests, and the same features, for every arm."""

from collections.abc import Iterator
from functools import cache
from itertools import count, cycle
from typing import Final

from anomaly.event import ApiEvent
from anomaly.features import FeatureExtractor
from anomaly.simulate import simulate

SEED: Final = 21
CLIENTS: Final = 80
_DAY: Final = 86_400.0


@cache
def _day(days: float) -> list[ApiEvent]:
    return [row.event for row in simulate("standard", SEED, clients=CLIENTS, days=days)]


@cache
def _features(days: float) -> list[list[float]]:
    features = FeatureExtractor()
    return [features.take(event) for event in _day(days)]


def requests(days: float) -> Iterator[ApiEvent]:
    """Yield the requests of the standard suite in the order of time, and then again and again, later and later."""
    for again in count():
        for event in _day(days):
            yield event._replace(time=event.time + again * days * _DAY)


def vectors(days: float) -> Iterator[list[float]]:
    """Yield the features of these requests, and then the same again and again."""
    return cycle(_features(days))
