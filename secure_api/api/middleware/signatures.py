"""Only signed requests get in.

Every path that is not listed as public needs a valid signature, also one that does not exist: a stranger learns
nothing about the routes. The body is read whole (its digest is signed), up to the limit, and handed on from memory.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto import (
    DigestError,
    MacAlgorithm,
    PublicKey,
    Request,
    SignedLabel,
    SignedRequest,
    is_sealed,
    verify_content_digest,
)
from secure_api.api.answer import Answer
from secure_api.api.json_route import check_content_type
from secure_api.api.problem import respond_to
from secure_api.api.started import Started
from secure_api.domain import strict_json
from secure_api.domain.errors import AuthenticationFailed, DomainError, Forbidden, PayloadTooLarge, RequestTimeout
from secure_api.domain.limits import Limits
from secure_api.domain.strict_json import JsonValue
from secure_api.services.authentication import Authenticator
from secure_api.services.exchange import Exchanger, OpenedBody
from secure_api.services.session_keeper import OpenSession

#: The answers to handshakes are signed whether asked or not: they carry half of a session's keys.
ALWAYS_SIGNED = "/v1/sessions"
DEFAULT_LABEL = "sig1"
#: As nginx logs it; no status of the protocol.
CLIENT_WENT_AWAY = 499
NO_STORE = (b"cache-control", b"no-store")


class KeyPresentation(Protocol):
    """Reads, out of a request's JSON, the keys whose possession the request must prove."""

    def __call__(self, document: JsonValue, /) -> tuple[PublicKey, ...]:
        """Read the keys."""


class Disconnected(Exception):
    """The peer went away while its body was on the way."""


class SignatureMiddleware:
    """Authenticate every request but those to `public` paths.

    `presenting` maps (method, path) of the routes that enroll keys to the function that reads them from the body;
    `refused` counts failed authentications by reason.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticator: Authenticator,
        exchanger: Exchanger,
        limits: Limits,
        public: frozenset[str],
        presenting: Mapping[tuple[str, str], KeyPresentation],
        refused: Counter,
    ) -> None:
        self.app = app
        self.authenticator = authenticator
        self.exchanger = exchanger
        self.limits = limits
        self.public = public
        self.presenting = presenting
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in self.public):
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        claimed: tuple[SignedLabel, ...] = ()
        try:
            request = request_of(scope)
            signed = self.authenticator.open(request)
            claimed = signed.labels
            body = await read_body(receive, self.limits)
            # By the decoded path, as routes match it: `%6Beys` must not slip past the proof of possession.
            read_keys = self.presenting.get((scope["method"], scope["path"]))
            opened = None
            presented: tuple[PublicKey, ...] = ()
            if read_keys is not None and not within_session(signed):
                opened = await self.open_presented(signed, body)
                presented = self.presented_keys(read_keys, opened)
            authentication = await self.authenticator.authenticate(signed, body, presented)
        except Disconnected:
            # Nobody reads it, but the log and the metrics count it, and not as an error of ours.
            await send({"type": "http.response.start", "status": CLIENT_WENT_AWAY, "headers": []})
            await send({"type": "http.response.body"})
            return
        except DomainError as error:
            if isinstance(error, AuthenticationFailed):
                scope.setdefault("state", {})["refused"] = (error.reason, claimed)
            await respond_to(error, self.refused)(scope, receive, send)
            return
        scope.setdefault("state", {})["authentication"] = authentication
        refusal: DomainError | None = None
        if read_keys is not None and authentication.session is not None:
            refusal = Forbidden("Keys are presented by a request that they sign themselves, not within a session.")
        if opened is None and refusal is None and not asks_for_more(request, scope["path"]):
            await self.app(scope, Replay(body, receive), private(send, authentication.session))
            return
        answer = Answer(
            private(send, authentication.session), self.exchanger, authentication, bodiless=scope["method"] == "HEAD"
        )
        if scope["path"].startswith(ALWAYS_SIGNED):
            answer.label = DEFAULT_LABEL
        try:
            # Opened first: what goes wrong from then on is told under the seal.
            answer.opened = opened or await self.exchanger.open(signed, body, authentication.session)
        except DomainError as error:
            refusal = error
        try:
            answer.label = self.exchanger.label_for(signed, authentication.session) or answer.label
        except DomainError as error:
            refusal = refusal or error
        if refusal is not None:
            await respond_to(refusal, self.refused)(scope, receive, answer)
            return
        if answer.opened.context is not None:
            scope = {**scope, "headers": headers_within(scope["headers"], answer.opened)}
        await self.app(scope, Replay(answer.opened.body, receive), answer)

    async def open_presented(self, signed: SignedRequest, body: bytes) -> OpenedBody:
        """Open the body of a route that enrolls keys, whose signatures cannot be verified before it is read.

        Raises:
            AuthenticationFailed: the body is not the one of the digest; told apart before it is looked at.
            SealedBodyRejected: it is sealed, and cannot be opened.
        """
        try:
            verify_content_digest(signed.request.field(b"content-digest") or b"", body)
        except DigestError as error:
            raise AuthenticationFailed(error.reason) from error
        return await self.exchanger.open(signed, body, None)

    def presented_keys(self, read_keys: KeyPresentation, opened: OpenedBody) -> tuple[PublicKey, ...]:
        """Read the keys that the body of a route that enrolls keys presents.

        Raises:
            Invalid: it does not present keys in the right form.
        """
        check_content_type(opened.content_type)
        return read_keys(strict_json.loads(opened.body, max_depth=self.limits.max_json_depth))


def within_session(signed: SignedRequest) -> bool:
    """Tell whether a request says that a session stands for its client's keys."""
    return len(signed.labels) == 1 and isinstance(signed.labels[0].algorithm, MacAlgorithm)


def asks_for_more(request: Request, path: str) -> bool:
    """Tell whether a request is, or may be, sealed, or wants a signed answer."""
    return (
        bool(request.field_lines(b"accept-signature"))
        or is_sealed((request.field(b"content-type") or b"").decode("latin-1"))
        or path.startswith(ALWAYS_SIGNED)
    )


def private(send: Send, session: OpenSession | None) -> Send:
    """Wrap an ASGI `send`: no cache may keep the answer, and a session pays for its bytes."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"]
            if not any(name == b"cache-control" for name, _ in headers):
                # A cache does not know that Signature authenticates: it must not hand one's answer to another.
                message["headers"] = [*headers, NO_STORE]
        elif session is not None:
            session.count_answer(len(message.get("body", b"")))
        await send(message)

    return send_private


class Replay:
    """An ASGI `receive` that gives a body from memory, then whatever the connection says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        """Give the next message."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def headers_within(headers: list[tuple[bytes, bytes]], opened: OpenedBody) -> list[tuple[bytes, bytes]]:
    """Give the header fields that the request would have had if its body had not been sealed."""
    kept = [line for line in headers if line[0] not in (b"content-type", b"content-length")]
    kept.append((b"content-type", opened.content_type.encode("ascii")))
    return [*kept, (b"content-length", b"%d" % len(opened.body))]


def request_of(scope: Scope) -> Request:
    """Turn an ASGI scope into the request that was signed.

    Raises:
        AuthenticationFailed: the target or the Host field is not ASCII; nothing could have signed it.
    """
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    try:
        return Request(
            method=scope["method"],
            scheme=scope["scheme"],
            authority=host.decode("ascii"),
            path=scope["raw_path"].decode("ascii") or "/",
            query=scope["query_string"].decode("ascii"),
            headers=tuple(scope["headers"]),
        )
    except UnicodeDecodeError as error:
        raise AuthenticationFailed("malformed-target") from error


async def read_body(receive: Receive, limits: Limits) -> bytes:
    """Read a whole body.

    Raises:
        PayloadTooLarge: it grew over the limit, whatever length was declared.
        RequestTimeout: it did not arrive in time.
        Disconnected: the peer went away.
    """
    first = Started(receive())
    if first.done and not first.value.get("more_body", False):
        return _chunk(first.value, 0, limits)
    try:
        async with asyncio.timeout(limits.body_timeout):
            message = first.value if first.done else await first.rest()
            chunks = [_chunk(message, 0, limits)]
            size = len(chunks[0])
            while message.get("more_body", False):
                message = await receive()
                chunks.append(_chunk(message, size, limits))
                size += len(chunks[-1])
            return b"".join(chunks)
    except TimeoutError as error:
        raise RequestTimeout(f"A body must arrive within {limits.body_timeout:g} seconds.") from error


def _chunk(message: Message, before: int, limits: Limits) -> bytes:
    if message["type"] == "http.disconnect":
        raise Disconnected
    chunk: bytes = message.get("body", b"")
    if before + len(chunk) > limits.max_body_bytes:
        raise PayloadTooLarge(f"A body may have {limits.max_body_bytes} bytes at most.")
    return chunk
