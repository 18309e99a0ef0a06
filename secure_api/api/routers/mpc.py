"""What compute parties of multi-party studies fetch and post."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from secure_api.api.dependencies import ViewDependency, WorkDependency
from secure_api.api.json_route import JsonRoute
from secure_api.api.routers.studies import StudyId
from secure_api.api.wire import Wire
from secure_api.domain.party_attempts import PartyResult
from secure_api.services.studies import compute_parties as service

router = APIRouter(prefix="/v1/studies", route_class=JsonRoute, tags=["studies"])

Attempt = Annotated[int, Field(ge=0, lt=2**31)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,32}$")]


class PartyInput(Wire):
    """A contribution as parties know it: the keyid that signed it, and SHA-256 of each party's box."""

    contributor: str
    boxes: list[str]


class PartyOut(Wire):
    """The session of the caller's party."""

    index: int
    attempt: int
    contributors: list[PartyInput]


class PartyResultIn(Wire):
    """What came out of an attempt."""

    attempt: Attempt
    transcript: Sha256
    contributors: Annotated[int, Field(ge=1, lt=2**31)]
    values: Annotated[list[float], Field(min_length=1, max_length=2**22)]


class PartyAbortIn(Wire):
    """Why an attempt ended."""

    attempt: Attempt
    reason: Slug
    party: Annotated[int, Field(ge=0, lt=16)] | None = None
    detail: Annotated[str, StringConstraints(max_length=500)] = ""


@router.get("/{id}/party")
async def get_party(view: ViewDependency, id: StudyId) -> PartyOut:
    """Tell the caller's compute party which session it is to compute."""
    session = await service.session_of(view, id)
    inputs = [PartyInput(contributor=one.contributor, boxes=list(one.boxes)) for one in session.inputs]
    return PartyOut(index=session.index, attempt=session.attempt, contributors=inputs)


@router.get("/{id}/shares", response_class=Response)
async def get_shares(
    view: ViewDependency,
    id: StudyId,
    attempt: Annotated[int, Query(ge=0, lt=2**31)],
    start: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """Give boxes of the caller's compute party, in the order of its session, as many as one answer holds."""
    content = await service.boxes_of(view, id, attempt, start)
    return Response(content, media_type="application/octet-stream")


@router.put("/{id}/party-result", status_code=204)
async def put_party_result(work: WorkDependency, id: StudyId, result: PartyResultIn) -> None:
    """Take what came out for the caller's compute party; the study is released when all parties say the same."""
    posted = PartyResult(result.transcript, result.contributors, tuple(result.values))
    await service.post_result(work, id, result.attempt, posted)


@router.post("/{id}/party-abort", status_code=204)
async def post_party_abort(work: WorkDependency, id: StudyId, abort: PartyAbortIn) -> None:
    """Take why the caller's compute party ended an attempt; the next one begins."""
    await service.post_abort(work, id, abort.attempt, abort.reason, abort.party, abort.detail)
