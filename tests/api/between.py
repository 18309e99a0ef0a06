"""Somebody between client and server, who sees every message and may answer in the server's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from secure_api.client import Session, SignatureAuth
from tests.consortium import AUTHORITY, Consortium, Peer, server_key

Change = Callable[[httpx.Request, httpx.Response], httpx.Response]


@dataclass
class Between(httpx.AsyncBaseTransport):
    """Hands every request on, remembers it with its answer, and gives what `change` makes of the answer."""

    inner: httpx.AsyncBaseTransport
    change: Change = lambda _, response: response
    seen: list[tuple[httpx.Request, httpx.Response]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Handle one request (httpx calls this)."""
        answer = await self.inner.handle_async_request(request)
        await answer.aread()
        self.seen.append((request, forged(answer)))  # a copy: the client opens a sealed answer in its place
        return self.change(request, answer)

    def paths(self) -> list[str]:
        """Method and path of everything that came by."""
        return [f"{request.method} {request.url.path}" for request, _ in self.seen]

    def client(self, auth: httpx.Auth, **options: bool) -> httpx.AsyncClient:
        """A client whose messages come by here."""
        return httpx.AsyncClient(transport=self, base_url=f"http://{AUTHORITY}", auth=auth, **options)  # type: ignore[arg-type]


def between(consortium: Consortium) -> Between:
    """Stand in front of a running application."""
    return Between(httpx.ASGITransport(consortium.app, raise_app_exceptions=False))


def signing(peer: Peer, *, seal: bool = False) -> SignatureAuth:
    """Sign as a peer, and hold the answers to the server's key."""
    clock = peer.clock
    return SignatureAuth(*peer.keys, server_key=server_key().public_key, seal=seal, clock=lambda: clock().timestamp())


def session_of(peer: Peer, *, seal: bool = False) -> Session:
    """Open a session as a peer."""
    return Session(signing(peer), seal=seal)


def forged(
    answer: httpx.Response,
    *,
    status: int | None = None,
    body: bytes | None = None,
    fields: Mapping[str, str | None] | None = None,
) -> httpx.Response:
    """The answer with something else in it; a field that is None is taken away."""
    content = answer.content if body is None else body
    changed = {name.lower(): value for name, value in (fields or {}).items()} | {"content-length": str(len(content))}
    kept = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in changed]
    added = [(name, value) for name, value in changed.items() if value is not None]
    return httpx.Response(status or answer.status_code, headers=[*kept, *added], content=content)


UNSIGNED = {"signature": None, "signature-input": None, "content-digest": None}
