"""Clients and their keys: enrollment, rotation, revocation."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from secure_api.api.dependencies import (
    AuthenticationDependency,
    ServerDependency,
    ViewDependency,
    WorkDependency,
    WriteSessionDependency,
)
from secure_api.api.json_route import JsonRoute
from secure_api.api.wire import Instant, Name, Wire
from secure_api.data.keys import KeySummary
from secure_api.domain.errors import AuthenticationFailed
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.roles import Role
from secure_api.services import enrollment

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["clients"])

KEYID_PATTERN = r"^[A-Za-z0-9_-]{43}$"


class Jwk(Wire):
    """A public key: AKP for ML-DSA (RFC 9964), OKP for Ed25519 (RFC 8037)."""

    model_config = Wire.model_config | {"extra": "allow"}

    kty: Annotated[str, StringConstraints(strict=True, max_length=8)]


Jwks = Annotated[
    list[Jwk],
    Field(min_length=1, max_length=enrollment.MAX_KEYS, description="One key, or an ML-DSA and an Ed25519 key."),
]


class EnrollmentIn(Wire):
    """An enrollment; the request is signed by every key in it."""

    token: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=128)]
    name: Name | None = None
    keys: Jwks


class RotationIn(Wire):
    """New keys; the request is signed by the old ones and by every new one."""

    keys: Jwks


class KeyOut(Wire):
    """A key of a client."""

    keyid: str
    algorithm: str
    status: KeyStatus


class ClientOut(Wire):
    """A client with its keys, the newest first."""

    id: str
    organization: str
    role: Role
    keys: list[KeyOut]


class MemberOut(Wire):
    """A client as its organization's admins see it."""

    id: str
    name: str | None
    role: Role
    created: Instant
    keys: list[KeyOut]


class MembersOut(Wire):
    """The clients of the caller's organization."""

    clients: list[MemberOut]


@router.post("/clients", status_code=201)
async def enroll(
    server: ServerDependency,
    session: WriteSessionDependency,
    authentication: AuthenticationDependency,
    enrolling: EnrollmentIn,
) -> ClientOut:
    """Enroll a client with a token; signed by every key that it enrolls."""
    if authentication.caller is not None or not authentication.proven:
        raise AuthenticationFailed("enrollment-signed-by-a-client")
    profile = await enrollment.enroll(session, server.clock, enrolling.token, enrolling.name, authentication.proven)
    return _client_out(profile)


@router.get("/clients")
async def list_clients(view: ViewDependency) -> MembersOut:
    """List the clients of the caller's organization (admins)."""
    return MembersOut(
        clients=[
            MemberOut(
                id=client.id,
                name=client.name,
                role=client.role,
                created=client.created,
                keys=[_key_out(key) for key in keys],
            )
            for client, keys in await enrollment.list_clients(view)
        ]
    )


@router.get("/clients/me")
async def own_profile(view: ViewDependency) -> ClientOut:
    """Describe the calling client."""
    return _client_out(await enrollment.own_profile(view))


@router.post("/clients/me/keys", status_code=201)
async def rotate(work: WorkDependency, authentication: AuthenticationDependency, rotation: RotationIn) -> ClientOut:
    """Replace the caller's keys; signed by the old and by the new ones."""
    del rotation  # checked for its form; the keys are those whose signatures were verified
    return _client_out(await enrollment.rotate(work, authentication.proven))


@router.delete("/keys/{keyid}", status_code=204)
async def revoke(work: WorkDependency, keyid: Annotated[str, Path(pattern=KEYID_PATTERN)]) -> None:
    """Revoke a key: one's own, or any of the organization (admins)."""
    await enrollment.revoke(work, keyid)


def _key_out(key: KeySummary) -> KeyOut:
    return KeyOut(keyid=key.keyid, algorithm=key.algorithm, status=key.status)


def _client_out(profile: enrollment.ClientProfile) -> ClientOut:
    return ClientOut(
        id=profile.id,
        organization=profile.organization,
        role=Role(profile.role),
        keys=[_key_out(key) for key in profile.keys],
    )
