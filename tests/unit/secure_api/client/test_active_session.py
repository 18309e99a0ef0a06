"""When a session is used, when it is renewed, when it is over."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from crypto import KemAlgorithm, KemPrivateKey, KemPublicKey, SessionKeys, session_secret
from secure_api.client import ResponseRefused
from secure_api.client.active_session import MARGIN, ActiveSession, open_session

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
    [(0, 0, 0, False), (75, 0, 0, False), (76, 0, 0, True), (0, 750, 0, False), (0, 751, 0, True), (0, 700, 51, True)],
)
def test_it_is_worn_when_a_twentieth_is_left(requests: int, used: int, size: int, worn: bool) -> None:
    assert session(requests=requests, bytes=used).worn(size) is worn


def test_it_is_named_as_its_keys_are() -> None:
    assert session().id == KEYS.session
    assert "Mac" not in repr(KEYS)


EPHEMERAL = KemPrivateKey.from_seed(KemAlgorithm.ML_KEM_768, bytes(range(64)))
TRANSCRIPT = bytes(32)
SENT = KemPublicKey(KemAlgorithm.ML_KEM_768, EPHEMERAL.public_key.raw).encapsulate()
ANSWER: dict[str, object] = {
    "id": "s" * 32,
    "suite": "ml-kem-768",
    "ciphertext": urlsafe_b64encode(SENT.ciphertext).rstrip(b"=").decode(),
    "created": 1_000,
    "expires": 4_600,
    "idle_timeout": 600,
    "max_requests": 100,
    "max_bytes": 1_000,
}


def test_an_answer_opens_a_session_by_the_clients_own_clock() -> None:
    opened = open_session(json.dumps(ANSWER).encode(), EPHEMERAL, TRANSCRIPT, b"", began=50)
    expected = SessionKeys.derive("s" * 32, session_secret(SENT.shared_secret, TRANSCRIPT))
    assert (opened.keys.client_aead, opened.keys.rekey) == (expected.client_aead, expected.rekey)
    assert (opened.id, opened.expires, opened.last_used, opened.max_requests) == ("s" * 32, 3_650, 50, 100)
    rekeyed = open_session(json.dumps(ANSWER).encode(), EPHEMERAL, TRANSCRIPT, expected.rekey, began=50)
    assert rekeyed.keys.rekey != expected.rekey


@pytest.mark.parametrize(
    "changes",
    [
        {"suite": "x-wing"},
        {"suite": None},
        {"id": "short"},
        {"id": "s" * 31 + "\n"},
        {"id": 7},
        {"ciphertext": "AAAA"},
        {"ciphertext": "\u00e4"},
        {"ciphertext": None},
        {"expires": 1.5},
        {"expires": True},
        {"created": -1},
        {"max_bytes": 2**53},
        {"max_requests": "many"},
    ],
)
def test_an_answer_that_makes_no_sense_opens_none(changes: dict[str, object]) -> None:
    with pytest.raises(ResponseRefused):
        open_session(json.dumps({**ANSWER, **changes}).encode(), EPHEMERAL, TRANSCRIPT, b"", began=50)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{}", b"\xff", b"[" * 100_000, b'{"suite": "ml-kem-768", "id": NaN}']
)
def test_a_body_that_is_no_answer_opens_none(body: bytes) -> None:
    with pytest.raises(ResponseRefused):
        open_session(body, EPHEMERAL, TRANSCRIPT, b"", began=50)
