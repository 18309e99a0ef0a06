"""Events carry pseudonyms, and pseudonyms do not carry over."""

from __future__ import annotations

import math

import pytest

from anomaly.errors import EventError
from anomaly.event import NOBODY, ApiEvent, Pseudonyms, check

SECRET = bytes(range(32))
EVENT = ApiEvent(time=1.0, client=2, network=3, route="GET /", status=200)


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVENT.status = 500  # type: ignore[misc]


def test_the_same_value_has_the_same_pseudonym_within_a_period_and_another_in_the_next() -> None:
    pseudonyms = Pseudonyms(SECRET, period=100.0)
    first = pseudonyms.of(b"client", b"alice", 10.0)
    assert pseudonyms.of(b"client", b"alice", 99.0) == first
    assert pseudonyms.of(b"client", b"alice", 101.0) != first
    assert pseudonyms.of(b"client", b"alice", 10.0) == first


def test_pseudonyms_of_different_kinds_cannot_be_linked() -> None:
    pseudonyms = Pseudonyms(SECRET)
    assert pseudonyms.of(b"client", b"alice", 0.0) != pseudonyms.of(b"network", b"alice", 0.0)
    assert pseudonyms.of(b"client", b"alice", 0.0) != Pseudonyms(SECRET[::-1]).of(b"client", b"alice", 0.0)


def test_a_pseudonym_fits_in_63_bits_and_is_never_nobody() -> None:
    pseudonyms = Pseudonyms(SECRET)
    values = {pseudonyms.of(b"client", b"%d" % number, 0.0) for number in range(500)}
    assert len(values) == 500
    assert NOBODY not in values
    assert max(values) < 1 << 63


@pytest.mark.parametrize(("secret", "period"), [(b"short", 1.0), (SECRET, 0.0), (SECRET, math.nan)])
def test_a_weak_secret_or_a_period_that_is_none_is_refused(secret: bytes, period: float) -> None:
    with pytest.raises(EventError):
        Pseudonyms(secret, period)


@pytest.mark.parametrize(
    "event",
    [
        EVENT._replace(time=math.nan),
        EVENT._replace(time=-1.0),
        EVENT._replace(time=math.inf),
        EVENT._replace(latency=math.nan),
        EVENT._replace(client=-1),
        EVENT._replace(network=1 << 63),
        EVENT._replace(response_bytes=-5),
        EVENT._replace(route="x" * 513),
    ],
)
def test_numbers_that_would_spoil_the_memory_are_refused(event: ApiEvent) -> None:
    with pytest.raises(EventError):
        check(event)
