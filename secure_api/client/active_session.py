"""A session as the client knows it: read from the answer to a handshake, and what is left of it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from crypto import CryptoError, KemAlgorithm, KemPrivateKey, SessionKeys, decode_base64url, session_secret
from secure_api.client.errors import ResponseRefused
from secure_api.client.report import HandshakeReport

MARGIN: Final = 5  # seconds before its end at which a session is not used any more
#: The part of its requests or bytes that a session has left when it is rekeyed: the server's workers hold some of that.
_REKEY_BELOW: Final = 0.25
_ID: Final = re.compile(r"[A-Za-z0-9_-]{32}")
_MAX_WHOLE: Final = 2**53 - 1  # what I-JSON keeps (RFC 7493 §2.2)


@dataclass(slots=True)
class ActiveSession:
    """A session and what is left of it; times in POSIX seconds of the client's clock."""

    keys: SessionKeys
    suite: KemAlgorithm
    expires: float
    idle_timeout: float
    max_requests: int
    max_bytes: int
    requests: int = 0
    bytes: int = 0
    last_used: float = 0
    origin: httpx.URL = field(default_factory=httpx.URL)  # a URL of the server that it was opened at
    handshake: HandshakeReport | None = None  # for the report of the first request

    @property
    def id(self) -> str:
        """The session's name, the `keyid` of its requests."""
        return self.keys.session

    def alive(self, now: float) -> bool:
        """Tell whether the server should still know the session, with a margin."""
        return now < self.expires - MARGIN and now < self.last_used + self.idle_timeout - MARGIN

    def worn(self, size: int) -> bool:
        """Tell whether little would be left of its requests or bytes after a request of `size` bytes."""
        part = 1 - _REKEY_BELOW
        return self.requests > self.max_requests * part or self.bytes + size > self.max_bytes * part


def open_session(
    body: bytes, ephemeral: KemPrivateKey, transcript: bytes, previous: bytes, *, began: float
) -> ActiveSession:
    """Derive a session from the body of the server's answer; `previous` is the rekey secret of the one before.

    `began` is the present by the client's clock, in POSIX seconds.

    Raises:
        ResponseRefused: the answer names another suite, or makes no sense.
    """
    try:
        answer: dict[str, Any] = json.loads(body)
        if answer["suite"] != ephemeral.algorithm.value:
            raise ResponseRefused(f"the server answered with the suite {answer['suite']!r:.40}")
        if _ID.fullmatch(answer["id"]) is None:
            raise ResponseRefused("the answer to the handshake names no session")
        secret = session_secret(ephemeral.decapsulate(decode_base64url(answer["ciphertext"])), transcript, previous)
        return ActiveSession(
            SessionKeys.derive(answer["id"], secret),
            ephemeral.algorithm,
            expires=began + _whole(answer["expires"]) - _whole(answer["created"]),
            idle_timeout=_whole(answer["idle_timeout"]),
            max_requests=_whole(answer["max_requests"]),
            max_bytes=_whole(answer["max_bytes"]),
            last_used=began,
        )
    except (CryptoError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ResponseRefused("the answer to the handshake makes no sense") from error


def _whole(number: object) -> int:
    if type(number) is not int or not 0 <= number <= _MAX_WHOLE:
        raise ResponseRefused("the answer to the handshake says a time or limit that is none")
    return number
