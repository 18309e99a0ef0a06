"""The stages of masked studies: what clients send, and what the server tells them after each."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response

from crypto import encode_base64url
from secure_api.api.dependencies import ServerDependency, ViewDependency, WorkDependency
from secure_api.api.octets import OCTETS, OCTETS_ANSWER, OCTETS_BODY, OctetRoute, OctetsDependency
from secure_api.api.routers.studies import StudyId
from secure_api.api.server import Server
from secure_api.api.wire import Wire
from secure_api.domain.errors import NotFound
from secure_api.domain.masked_stages import MaskedStage
from secure_api.domain.studies import StudyMethod, StudyState
from secure_api.services.studies.masked import MaskedStudies

router = APIRouter(prefix="/v1/studies", tags=["studies"])
octets = APIRouter(prefix="/v1/studies", route_class=OctetRoute, tags=["studies"])

Told = Annotated[
    Literal["participants", "delivery", "survivors", "confirmations"], Path(description="What the server tells.")
]


class RosterKeyOut(Wire):
    """A public key on the roster: its algorithm, and its bytes in base64url."""

    algorithm: str
    public_key: str


class RosterOut(Wire):
    """The public keys on a roster, in its order."""

    keys: list[RosterKeyOut]


class MaskingOut(Wire):
    """Where a masked study is: its state, and the stage that it waits for."""

    state: StudyState
    stage: MaskedStage


@router.get("/{id}/masking")
async def get_masking(server: ServerDependency, view: ViewDependency, id: StudyId) -> MaskingOut:
    """Tell where a masked study is."""
    state, stage = await _masked(server).standing(view, id)
    return MaskingOut(state=state, stage=stage)


@router.get("/{id}/roster")
async def get_roster(server: ServerDependency, view: ViewDependency, id: StudyId) -> RosterOut:
    """Read the public keys of a masked study's contributors; the study's parameters have their thumbprints."""
    keys = await _masked(server).roster(view, id)
    return RosterOut(
        keys=[RosterKeyOut(algorithm=key.algorithm.value, public_key=encode_base64url(key.raw)) for key in keys]
    )


@octets.put("/{id}/masking/{stage}", status_code=204, openapi_extra=OCTETS_BODY)
async def put_masking(
    server: ServerDependency, work: WorkDependency, id: StudyId, stage: MaskedStage, content: OctetsDependency
) -> None:
    """Send the message of a stage; the same bytes again change nothing."""
    await _masked(server).take(work, id, stage, content)


_ANSWER: dict[int | str, dict[str, Any]] = {200: OCTETS_ANSWER}


@router.get("/{id}/masking/told/{told}", response_class=Response, responses=_ANSWER)
async def get_told(server: ServerDependency, view: ViewDependency, id: StudyId, told: Told) -> Response:
    """Read what the server tells after a stage."""
    return Response(await _masked(server).tell(view, id, told), media_type=OCTETS)


def _masked(server: Server) -> MaskedStudies:
    method = server.studies.methods.get(StudyMethod.MASKED)
    if not isinstance(method, MaskedStudies):
        raise NotFound("This server does not offer masked studies.")
    return method
