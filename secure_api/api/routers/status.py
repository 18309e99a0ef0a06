"""Public routes: is it alive, is it ready, what does it speak."""

from typing import Any

from fastapi import APIRouter

from secure_api.api.dependencies import ServerDependency
from secure_api.api.wire import Wire
from secure_api.domain.errors import NotReady

router = APIRouter(tags=["status"])


class StatusOut(Wire):
    """A sign of life."""

    status: str


@router.get("/healthz")
async def health() -> StatusOut:
    """Tell that the process answers."""
    return StatusOut(status="ok")


@router.get("/readyz")
async def readiness(server: ServerDependency) -> StatusOut:
    """Tell that the process, its database and its store of nonces can serve requests."""
    if not server.ready:
        raise NotReady("The server is starting or stopping.")
    await server.database.ping()
    await server.nonces.ping()
    return StatusOut(status="ready")


@router.get("/.well-known/secure-api")
async def discovery(server: ServerDependency) -> dict[str, Any]:
    """Tell the algorithms, the profile, the server's public keys, the limits and the versions."""
    return server.discovery | {"sealing": {"keys": server.keyring.published()}}
