"""Public contexts for homomorphic encryption."""

from typing import Any

from fastapi import APIRouter, Response

from secure_api.api.dependencies import ServerDependency, ViewDependency, WorkDependency
from secure_api.api.octets import OCTETS, OCTETS_ANSWER, OCTETS_BODY, OctetRoute, OctetsDependency
from secure_api.api.routers.studies import StudyId
from secure_api.api.wire import Wire
from secure_api.services.studies import contexts

router = APIRouter(tags=["studies"])
octets = APIRouter(route_class=OctetRoute, tags=["studies"])


class ContextOut(Wire):
    """A context that is kept: SHA-256 (hexadecimal) of its bytes, and its parameters by name."""

    fingerprint: str
    parameters: str


_SAME: dict[int | str, dict[str, Any]] = {200: {"model": ContextOut, "description": "It was here before."}}


@octets.post("/v1/contexts", status_code=201, response_model=ContextOut, openapi_extra=OCTETS_BODY, responses=_SAME)
async def add_context(
    server: ServerDependency, work: WorkDependency, content: OctetsDependency, response: Response
) -> ContextOut:
    """Upload a public context, once; studies name it by its fingerprint."""
    facts, new = await contexts.add_context(work, content, server.studies)
    if not new:
        response.status_code = 200
    return ContextOut(fingerprint=facts.fingerprint, parameters=facts.parameters.name)


@router.get("/v1/studies/{id}/context", response_class=Response, responses={200: OCTETS_ANSWER})
async def get_context(view: ViewDependency, id: StudyId) -> Response:
    """Read the public context of a study: contributions are encrypted in it."""
    return Response(await contexts.read_context(view, id), media_type=OCTETS)
