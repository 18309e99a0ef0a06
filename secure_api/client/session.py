"""`Session`: an `httpx.Auth` that signs once, and then lets every request cost microseconds.

The first request brings a handshake with it: a key exchange, signed by the client's keys and answered by the server's
(see docs/protocol.md). Requests after it carry HMAC-SHA256 in the place of a signature, and so do their answers. When
the session nears its limits it is rekeyed; when it is over, or the server has forgotten it, there is a new handshake.
All of this happens behind the request that needs it, for sync and async clients alike; threads and tasks may share one
object.

A server that has become suspicious of a client may want its keys' signatures for a while; then requests are signed.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Generator
from http import HTTPStatus
from typing import Final

import httpx

from crypto import (
    KemAlgorithm,
    KemPrivateKey,
    encode_base64url,
    parse_signature_input,
    session_transcript,
    signature_base,
)
from secure_api.client.active_session import ActiveSession, open_session
from secure_api.client.errors import ClientError, ResponseRefused, ServerUnusable
from secure_api.client.exchange import REPEATABLE, Credentials, Exchange, require_readable, signable, with_body
from secure_api.client.handshakes import Handshakes
from secure_api.client.problem import Problem
from secure_api.client.report import HandshakeReport
from secure_api.client.sealer import SessionSealer
from secure_api.client.signature_auth import SignatureAuth

SESSIONS_PATH: Final = b"/v1/sessions"
SIGNED_SECONDS: Final = 60.0
"""How long requests are signed after the server asked for it; then the session is tried again."""
_ASKED: Final = ":fresh-signature-required"
_NOTHING: Final = httpx.Request("GET", "")

Flow = Generator[httpx.Request, httpx.Response, None]
Handshake = Generator[httpx.Request, httpx.Response, ActiveSession]


class Session(httpx.Auth):
    """Requests within a session that `auth` opens; `seal` encrypts their bodies and those of the answers.

    `suite` is the key exchange: X-Wing (ML-KEM-768 with X25519), or ML-KEM alone.

    Raises:
        ClientError: `auth` does not know the server's public key, or seals by itself.
    """

    requires_request_body = True
    requires_response_body = True

    def __init__(self, auth: SignatureAuth, *, suite: KemAlgorithm = KemAlgorithm.X_WING, seal: bool = False) -> None:
        if auth.server_key is None:
            raise ClientError("a session needs the server's public key: its signature is half of the handshake")
        if auth.seal:
            raise ClientError("let the session seal: Session(auth, seal=True), with an auth that does not")
        self.suite = suite
        self.seal = seal
        self.current: ActiveSession | None = None
        self._auth = auth
        self._signing = auth.sealing() if seal else auth
        self._signed_until = 0.0
        self._server_key = auth.server_key
        self._handshakes = Handshakes()
        self._lock = threading.Lock()  # of `current` and of what a session has used; held for no I/O

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        """Send one request within the session, opened or renewed first where needed (httpx calls this).

        Raises:
            CryptoError: the request cannot be signed or sealed as it stands.
            ClientError: the handshake failed, an answer is not the server's, or the body is an async iterator's.
        """
        require_readable(request, httpx.SyncByteStream)
        request.read()
        for attempt in range(2):
            if self._auth.now() < self._signed_until:
                break
            session = yield from self._ready_or_shared(request)
            exchange = self._prepare(session, request)
            response = yield exchange.request
            response.read()
            if self._settled(session, exchange, response, again=attempt == 0 and request.method in REPEATABLE):
                if not self._must_sign(response):
                    return
                break
        yield from self._signing.sync_auth_flow(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same for an async client (httpx calls this)."""
        require_readable(request, httpx.AsyncByteStream)
        await request.aread()
        room = asyncio.get_running_loop()
        for attempt in range(2):
            if self._auth.now() < self._signed_until:
                break
            while (session := self._ready(request)) is None:
                if (under_way := self._handshakes.join(room)) is not None:
                    await asyncio.wrap_future(under_way)
                    continue
                with self._handshakes.lead(room):
                    steps = self._renewed(request)
                    step, session = _advance(steps, None)
                    while session is None:
                        answer = yield step
                        await answer.aread()
                        step, session = _advance(steps, answer)
                break
            exchange = self._prepare(session, request)
            response = yield exchange.request
            await response.aread()
            if self._settled(session, exchange, response, again=attempt == 0 and request.method in REPEATABLE):
                if not self._must_sign(response):
                    return
                break
        signing = self._signing.async_auth_flow(request)
        step = await anext(signing)
        while True:
            answer = yield step
            try:
                step = await signing.asend(answer)
            except StopAsyncIteration:
                return

    def end(self, client: httpx.Client) -> None:
        """End the session on the server, through a client of it; without a session there is nothing to do.

        Raises:
            ClientError, CryptoError, httpx.HTTPError: as any request.
        """
        session = self._forgotten()
        if session is not None:
            client.request("DELETE", _url(session), auth=_Within(self, session))

    async def aend(self, client: httpx.AsyncClient) -> None:
        """Do the same through an async client."""
        session = self._forgotten()
        if session is not None:
            await client.request("DELETE", _url(session), auth=_Within(self, session))

    def _forgotten(self) -> ActiveSession | None:
        with self._lock:
            session, self.current = self.current, None
        return session

    def _ready(self, request: httpx.Request) -> ActiveSession | None:
        """Give the session when a request can use it as it stands."""
        session = self.current
        if session is None or not session.alive(self._auth.now()):
            return None
        return None if session.requests and session.worn(len(request.content)) else session

    def _ready_or_shared(self, request: httpx.Request) -> Handshake:
        """Give the session to use for a request of a sync client: made here, or by the thread that is at it."""
        while (session := self._ready(request)) is None:
            if (under_way := self._handshakes.join(None)) is None:
                with self._handshakes.lead(None):
                    return (yield from _read(self._renewed(request)))
            under_way.result()
        return session

    def _renewed(self, request: httpx.Request) -> Handshake:
        """Give the session to use for a request, after whatever handshake that takes."""
        if (session := self._ready(request)) is not None:  # somebody was faster
            return session
        session = self.current
        if session is None or not session.alive(self._auth.now()):
            session = yield from self._open(request)
        else:
            try:
                session = yield from self._rekey(request, session)
            except ServerUnusable:
                session = yield from self._open(request)
        with self._lock:
            self.current = session
        return session

    def _open(self, request: httpx.Request) -> Handshake:
        credentials = Credentials(self._auth.keys, self._server_key, self._server_key.keyid)
        return (yield from self._handshake(request, SESSIONS_PATH, credentials, b""))

    def _rekey(self, request: httpx.Request, old: ActiveSession) -> Handshake:
        path = SESSIONS_PATH + b"/" + old.id.encode() + b"/rekey"
        return (yield from self._handshake(request, path, _within(old), old.keys.rekey))

    def _handshake(self, request: httpx.Request, path: bytes, credentials: Credentials, previous: bytes) -> Handshake:
        since = time.perf_counter()
        ephemeral = KemPrivateKey.generate(self.suite)
        offer = {"suite": self.suite.value, "public_key": encode_base64url(ephemeral.public_key.raw)}
        handshake = httpx.Request(
            "POST",
            request.url.copy_with(raw_path=path),
            headers={"Content-Type": "application/json"},
            content=json.dumps(offer, separators=(",", ":")).encode(),
            extensions=request.extensions,
        )
        exchange = self._auth.exchange_with(credentials, handshake, None)
        response = yield exchange.request
        if response.request is not exchange.request:
            raise ResponseRefused("the answer to the handshake came from a redirect")
        exchange.receive(response)
        if response.status_code != HTTPStatus.CREATED:
            problem = Problem.parse(response.headers.get("content-type", ""), response.content)
            said = problem.lines()[0] if problem else response.reason_phrase
            raise ServerUnusable(f"no session: HTTP {response.status_code} {said}", response.status_code)
        signed = signable(exchange.request)
        inputs = parse_signature_input(exchange.request.headers["signature-input"].encode()).values()
        transcript = session_transcript(
            server_keyid=credentials.server_keyid,
            request_body=exchange.request.content,
            response_body=response.content,
            request_bases=[signature_base(signed, entry) for entry in inputs],
        )
        began = self._auth.now()  # by the client's own clock: the two may differ
        session = open_session(response.content, ephemeral, transcript, previous, began=began)
        session.origin = request.url
        sizes = len(exchange.request.content), len(response.content)
        seconds = time.perf_counter() - since
        session.handshake = HandshakeReport(session.id, self.suite.value, bool(previous), *sizes, seconds)
        return session

    def _prepare(self, session: ActiveSession, request: httpx.Request) -> Exchange:
        with self._lock:
            session.requests += 1
            session.bytes += len(request.content)
            session.last_used = self._auth.now()
        sealer = SessionSealer(session.keys) if self.seal else None
        exchange = self._auth.exchange_with(_within(session), with_body(request, request.content), sealer)
        with self._lock:
            exchange.report.handshake, session.handshake = session.handshake, None
        return exchange

    def _settled(self, session: ActiveSession, exchange: Exchange, response: httpx.Response, *, again: bool) -> bool:
        """Take the answer; false when the server seems to have forgotten the session, and another try does no harm.

        Nobody signs a 401. Whoever is between could answer with one what was accepted, to have it sent once more: so
        only what may be done twice is repeated unasked.
        """
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            with self._lock:
                if self.current is session:
                    self.current = None
            if again:
                return False
        if response.request is not exchange.request:
            raise ResponseRefused(f"the answer came from {response.request.url}, where nothing signed was sent")
        with self._lock:
            session.bytes += len(response.content)
        exchange.receive(response)
        return True

    def _must_sign(self, response: httpx.Response) -> bool:
        """Tell whether the server refused the request as it wants the client's keys to sign; for a minute they do.

        The answer is of the session, so it was the server that did nothing: any request may be sent again.
        """
        if response.status_code != HTTPStatus.FORBIDDEN:
            return False
        problem = Problem.parse(response.headers.get("content-type", ""), response.content)
        if problem is None or not problem.type.endswith(_ASKED):
            return False
        self._signed_until = self._auth.now() + SIGNED_SECONDS
        return True


class _Within(httpx.Auth):
    """One request within a session that is not the current one any more."""

    requires_request_body = True
    requires_response_body = True

    def __init__(self, owner: Session, session: ActiveSession) -> None:
        self._owner = owner
        self._session = session

    def auth_flow(self, request: httpx.Request) -> Flow:
        exchange = self._owner._prepare(self._session, request)
        exchange.receive((yield exchange.request))


def _url(session: ActiveSession) -> httpx.URL:
    return session.origin.copy_with(raw_path=SESSIONS_PATH + b"/" + session.id.encode())


def _within(session: ActiveSession) -> Credentials:
    return Credentials((session.keys.client_mac,), session.keys.server_mac, session.id)


def _read(steps: Handshake) -> Handshake:
    step, session = _advance(steps, None)
    while session is None:
        response = yield step
        response.read()
        step, session = _advance(steps, response)
    return session


def _advance(steps: Handshake, response: httpx.Response | None) -> tuple[httpx.Request, ActiveSession | None]:
    """Go on to the next request of a handshake, or to the session that it ends in."""
    try:
        return (next(steps) if response is None else steps.send(response)), None
    except StopIteration as stop:
        session: ActiveSession = stop.value
        return _NOTHING, session
