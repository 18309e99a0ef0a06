"""Signed requests as an ASGI server hands them on, and what each part of the authentication makes of them."""

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from crypto import (
    Request,
    SignedLabel,
    SignedRequest,
    VerificationKey,
    open_request,
    sign_request,
    signature_base,
)
from experiments.gate.doorway import AUTHORITY, Doorway
from secure_api.api.middleware.signatures import request_of
from secure_api.data.nonces import NonceUse

PATH: Final = "/v1/echo"
LIFETIME: Final = 300  # seconds: the longest that the product believes
#: Seconds after which requests are signed anew.
STALE: Final = 200
#: Requests that are signed and then used in turn: their signatures fit a core's second cache, as a server's do.
SIGNED: Final = 64

Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One signed request, and what the parts of its authentication find: each part takes what those before it found."""

    scope: dict[str, Any]  # of ASGI
    receive: Receive
    body: bytes
    request: Request
    signed: SignedRequest
    label: SignedLabel
    base: bytes
    key: VerificationKey
    use: NonceUse


class Signed:
    """Requests of one client with a body of one size, signed anew before they are too old.

    `warm` is one more of them, that is in none of the measurements.
    """

    def __init__(self, door: Doorway, algorithm: str, size: int) -> None:
        self._door, self._algorithm = door, algorithm
        self._body = secrets.token_bytes(size)
        self._made: list[Prepared] = []
        self.warm = self.sign(self._body)
        self._signed_at = float("-inf")

    def fresh(self) -> Sequence[Prepared]:
        """Give `SIGNED` requests that are valid for a while, each with a nonce of its own."""
        if time.monotonic() - self._signed_at > STALE:
            self._signed_at = time.monotonic()
            self.warm, *self._made = [self.sign(self._body) for _ in range(SIGNED + 1)]
        return self._made

    def sign(self, body: bytes, *, created: int | None = None) -> Prepared:
        """Sign one request now, or at another time (POSIX seconds)."""
        now = int(time.time()) if created is None else created
        lines = ((b"host", AUTHORITY.encode()), (b"content-type", b"application/json"))
        request = Request(method="POST", authority=AUTHORITY, path=PATH, query="", headers=lines, scheme="http")
        key = self._door.signing_key(self._algorithm)
        fields = sign_request(request, body, [key], created=now, lifetime=LIFETIME, nonces=[secrets.token_urlsafe(16)])
        headers = [*lines, *((name.encode(), value.encode()) for name, value in fields)]
        return self.prepare(headers, body, now)

    def prepare(self, headers: list[tuple[bytes, bytes]], body: bytes, now: int) -> Prepared:
        """Go through all parts of a request once. Raises VerificationError: it is not in the form of the profile."""
        scope = scope_of([*headers, (b"content-length", b"%d" % len(body))])
        request = request_of(scope)
        signed = open_request(request, self._door.settings.profile(), now)
        label = signed.labels[0]
        skew = self._door.settings.signature_clock_skew
        session = label.keyid == self._door.session.session
        return Prepared(
            scope,
            receive_of(body),
            body,
            request,
            signed,
            label,
            signature_base(request, label.input),
            self._door.verification_key(self._algorithm),
            NonceUse(label.keyid, label.nonce, label.created, label.expires + skew, session),
        )


_signed: WeakKeyDictionary[Doorway, dict[tuple[str, int], Signed]] = WeakKeyDictionary()


def signed_for(door: Doorway, algorithm: str, size: int) -> Signed:
    """Give the requests of one client with a body of one size; all arms of a doorway take the same."""
    known = _signed.setdefault(door, {})
    if (algorithm, size) not in known:
        known[algorithm, size] = Signed(door, algorithm, size)
    return known[algorithm, size]


def scope_of(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Give the ASGI scope that a server makes of a request with these header fields."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
    }


def receive_of(body: bytes) -> Receive:
    """Give an ASGI `receive` that has the whole body at once."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
