"""Sessions: the handshake, the rekey, the list, the end."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import StringConstraints

from crypto import KemAlgorithm, signature_base
from secure_api.api.base64url import Base64Url
from secure_api.api.dependencies import AuthenticationDependency, ServerDependency, ViewDependency, WorkDependency
from secure_api.api.json_route import JSON, JsonRoute
from secure_api.api.wire import Wire
from secure_api.domain.errors import Forbidden, NotFound
from secure_api.services import sessions
from secure_api.services.authentication import Authentication

router = APIRouter(prefix="/v1/sessions", route_class=JsonRoute, tags=["sessions"])

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{32}$")]


class OfferIn(Wire):
    """Half of a key exchange: the suite's mechanism, and an ephemeral public key that is used once."""

    suite: KemAlgorithm
    public_key: Base64Url


class HandshakeOut(Wire):
    """The other half. Times in seconds since the epoch, `idle_timeout` in seconds, `max_bytes` of all bodies."""

    id: str
    suite: KemAlgorithm
    ciphertext: str
    created: int
    expires: int
    idle_timeout: int
    max_requests: int
    max_bytes: int


class SessionOut(Wire):
    """An active session of the caller's; times in seconds since the epoch, `last_used` to some 15 seconds."""

    id: Annotated[str, StringConstraints(strict=True)]
    suite: str
    created: int
    expires: int
    last_used: int


class SessionsOut(Wire):
    """The caller's active sessions, newest first."""

    sessions: list[SessionOut]


@router.post("", status_code=201, response_model=HandshakeOut)
async def open_session(
    server: ServerDependency,
    work: WorkDependency,
    authentication: AuthenticationDependency,
    request: Request,
    offer: OfferIn,
) -> Response:
    """Open a session; signed by the client's keys. The answer is always signed by the server's."""
    if authentication.session is not None:
        raise Forbidden("A session is opened by a request that the client's keys sign; within one, rekey it.")
    return _answer(await server.office.open(work, await _offer(request, authentication, offer)))


@router.post("/{id}/rekey", status_code=201, response_model=HandshakeOut)
async def rekey_session(
    server: ServerDependency,
    work: WorkDependency,
    authentication: AuthenticationDependency,
    request: Request,
    id: SessionId,
    offer: OfferIn,
) -> Response:
    """Replace this session by one with fresh keys and limits; signed within it. It keeps the old one's `expires`."""
    session = authentication.session
    if session is None or session.keys.session != id:
        raise NotFound("A session is rekeyed by a request within it.")
    return _answer(await server.office.rekey(work, session.keys, await _offer(request, authentication, offer)))


@router.get("")
async def list_sessions(view: ViewDependency) -> SessionsOut:
    """List the caller's active sessions."""
    return SessionsOut(
        sessions=[
            SessionOut(
                id=summary.id,
                suite=summary.suite,
                created=summary.created,
                expires=summary.expires,
                last_used=summary.last_used,
            )
            for summary in await sessions.list_sessions(view)
        ]
    )


@router.delete("/{id}", status_code=204)
async def end_session(work: WorkDependency, id: SessionId) -> None:
    """End a session: one's own, or any of the organization (admins)."""
    await sessions.end_session(work, id)


async def _offer(request: Request, authentication: Authentication, offer: OfferIn) -> sessions.Offer:
    signed = authentication.signed
    bases = tuple(signature_base(signed.request, label.input) for label in signed.labels)
    return sessions.Offer(offer.suite, offer.public_key, await request.body(), bases)


def _answer(body: bytes) -> Response:
    return Response(body, status_code=201, media_type=JSON)
