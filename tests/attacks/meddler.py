"""Somebody between our client and the server who reads and changes whatever comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from crypto import (
    Request,
    Response,
    SigningKey,
    parse_signature_input,
    sign_response,
)
from secure_api.client import Session, SignatureAuth
from tests.attacks.stage import Member
from tests.consortium import server_key

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Answer:
    """An answer on its way to the client, the request beside it; field names in lower case."""

    request: httpx.Request
    status: int
    headers: Headers
    body: bytes

    def but(self, *, status: int | None = None, body: bytes | None = None) -> Answer:
        """The answer with another status or body."""
        return replace(self, status=self.status if status is None else status, body=self.body if body is None else body)

    def without(self, *names: str) -> Answer:
        """The answer without some fields."""
        return replace(self, headers=tuple(line for line in self.headers if line[0].decode() not in names))

    def having(self, name: str, value: str) -> Answer:
        """The answer with another value of a field."""
        return replace(self, headers=(*self.without(name).headers, (name.encode(), value.encode("latin-1"))))

    def adding(self, name: str, value: str) -> Answer:
        """The answer with a field line more."""
        return replace(self, headers=(*self.headers, (name.encode(), value.encode("latin-1"))))

    def field(self, name: str) -> str:
        """The value of a field."""
        return next(value for key, value in self.headers if key.decode() == name).decode("latin-1")

    def edited(self, name: str, old: str, new: str) -> Answer:
        """The answer with a part of a field replaced, which must be there."""
        value = self.field(name)
        assert old in value, (old, value)
        return self.having(name, value.replace(old, new))

    def signed_by(self, key: SigningKey, *, request: httpx.Request | None = None, label: str = "sig1") -> Answer:
        """The answer with a fresh signature over what it is now, in answer to a request (its own)."""
        asked = request or self.request
        bare = self.without("content-digest", "signature", "signature-input")
        inputs = tuple(parse_signature_input(asked.headers["signature-input"].encode()).values())
        response = Response(self.status, bare.headers, self.body)
        fields = sign_response(response, signable(asked), inputs, key, label=label, created=int(time.time()))
        return replace(bare, headers=(*bare.headers, *((name.encode(), value.encode()) for name, value in fields)))


Change = Callable[[Answer], Answer]


@dataclass
class Meddler(httpx.BaseTransport):
    """A transport that lets every request through, and hands the client what `change` makes of its answer."""

    change: Change
    seen: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        response = self._wire.handle_request(request)
        headers = tuple((name.lower(), value) for name, value in response.headers.raw)
        answer = Answer(request, response.status_code, headers, response.read())
        response.close()
        self.seen.append(answer)
        changed = self.change(answer)
        kept = [line for line in changed.headers if line[0] not in {b"content-length", b"transfer-encoding"}]
        return httpx.Response(changed.status, headers=kept, content=changed.body)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()


def signable(request: httpx.Request) -> Request:
    """What a signature of a request covers."""
    path, _, query = request.url.raw_path.partition(b"?")
    headers = tuple((name.lower(), value) for name, value in request.headers.raw)
    authority = request.headers["host"]
    return Request(request.method, authority, path.decode(), query.decode(), headers, scheme=request.url.scheme)


def signing(member: Member) -> SignatureAuth:
    """A client that signs, and wants signed answers."""
    return SignatureAuth(*member.keys, server_key=server_key().public_key)


def sealing(member: Member) -> SignatureAuth:
    """A client that seals as well."""
    return SignatureAuth(*member.keys, server_key=server_key().public_key, seal=True)


def within(member: Member) -> Session:
    """A client that uses a session."""
    return Session(signing(member))


def sealing_within(member: Member) -> Session:
    """A client that uses a session, and seals."""
    return Session(signing(member), seal=True)


#: The four kinds of clients that want to know who answers.
CLIENTS: dict[str, Callable[[Member], SignatureAuth | Session]] = {
    "signing": signing,
    "sealing": sealing,
    "within a session": within,
    "sealing within a session": sealing_within,
}


def unchanged(answer: Answer) -> Answer:
    """Let an answer through as it is."""
    return answer


def is_handshake(answer: Answer) -> bool:
    """Tell whether an answer is to a handshake or a rekey, or the server's discovery document."""
    path = answer.request.url.path
    return (answer.request.method == "POST" and path.startswith("/v1/sessions")) or path.startswith("/.well-known")


def beyond_handshakes(change: Change) -> Change:
    """Apply a change to answers of the application alone."""
    return lambda answer: answer if is_handshake(answer) else change(answer)
