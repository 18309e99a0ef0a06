"""A server inside httpx: it believes only what the profile allows, and sends clients elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from crypto import PrivateKey, Profile, Request, SignedRequest, VerificationError, open_request, verify_request

NOW = 1_800_000_000


@dataclass
class VerifyingServer:
    """Answers 200 to a believed request, 401 to any other; `redirects` maps a path to (status, location)."""

    keys: tuple[PrivateKey, ...]
    redirects: dict[str, tuple[int, str]] = field(default_factory=dict)
    received: list[httpx.Request] = field(default_factory=list)
    believed: list[SignedRequest] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    _nonces: set[str] = field(default_factory=set)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Handle one request, as `httpx.MockTransport` wants it."""
        self.received.append(request)
        path, _, query = request.url.raw_path.decode().partition("?")
        arrived = Request(
            method=request.method,
            authority=request.headers["host"],
            path=path,
            query=query,
            headers=tuple((name.lower(), value) for name, value in request.headers.raw),
            scheme=request.url.scheme,
        )
        try:
            signed = open_request(arrived, Profile(), NOW)
            verify_request(signed, request.content, {key.keyid: key.public_key for key in self.keys})
        except VerificationError as error:
            self.reasons.append(error.reason)
            return httpx.Response(401)
        nonces = {label.nonce for label in signed.labels}
        if nonces & self._nonces:
            self.reasons.append("replay")
            return httpx.Response(401)
        self._nonces |= nonces
        if path in self.redirects:
            status, location = self.redirects[path]
            return httpx.Response(status, headers={"location": location})
        self.believed.append(signed)
        return httpx.Response(200, content=request.content)

    def client(self, auth: httpx.Auth, **options: object) -> httpx.Client:
        """A client whose requests all arrive here, whatever the host."""
        return httpx.Client(auth=auth, transport=httpx.MockTransport(_reading(self)), **options)  # type: ignore[arg-type]


def _reading(server: VerifyingServer) -> Callable[[httpx.Request], httpx.Response]:
    def handle(request: httpx.Request) -> httpx.Response:
        request.read()
        return server(request)

    return handle
