"""When a session is used, when it is renewed, when it is over."""

from __future__ import annotations

import pytest

from crypto import KemAlgorithm, SessionKeys
from secure_api.client.session import MARGIN, ActiveSession

KEYS = SessionKeys.derive("s" * 32, bytes(32))


def session(**more: float) -> ActiveSession:
    """A session of an hour, idle after ten minutes, with 100 requests and 1,000 bytes; it begins at 0."""
    return ActiveSession(KEYS, KemAlgorithm.X_WING, 3_600, 600, 100, 1_000, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "last_used", "alive"),
    [
        (0, 0, True),
        (600 - MARGIN - 1, 0, True),
        (600 - MARGIN, 0, False),
        (3_600 - MARGIN - 1, 3_500, True),
        (3_600 - MARGIN, 3_599, False),
        (-100, 0, True),
    ],
)
def test_it_is_alive_until_shortly_before_its_end(now: float, last_used: float, alive: bool) -> None:
    assert session(last_used=last_used).alive(now) is alive


@pytest.mark.parametrize(
    ("requests", "used", "size", "worn"),
    [(0, 0, 0, False), (95, 0, 0, False), (96, 0, 0, True), (0, 950, 0, False), (0, 951, 0, True), (0, 900, 51, True)],
)
def test_it_is_worn_when_a_twentieth_is_left(requests: int, used: int, size: int, worn: bool) -> None:
    assert session(requests=requests, bytes=used).worn(size) is worn


def test_it_is_named_as_its_keys_are() -> None:
    assert session().id == KEYS.session
    assert "Mac" not in repr(KEYS)
