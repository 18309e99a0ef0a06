"""Studies: create, look, contribute, close, abort, read the result."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints

from secure_api.api.dependencies import ServerDependency, ViewDependency, WorkDependency
from secure_api.api.json_route import JSON, JsonRoute
from secure_api.api.octets import OCTETS_ANSWER, OCTETS_BODY, OctetRoute, OctetsDependency
from secure_api.api.wire import Instant, Name, Wire
from secure_api.domain.studies import Bounds, Privacy, Study, StudyMethod, StudyState, StudyTerms
from secure_api.services.studies.office import StudyView

MAX_PAGE = 100
ID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

router = APIRouter(prefix="/v1/studies", route_class=JsonRoute, tags=["studies"])
octets = APIRouter(prefix="/v1/studies", route_class=OctetRoute, tags=["studies"])

StudyId = Annotated[str, Path(pattern=ID_PATTERN, description="The study's identifier.")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=1 << 31)]


class BoundsWire(Wire):
    """What every value lies within, both ends included."""

    low: Number
    high: Number


class PrivacyIn(Wire):
    """Differential privacy: (epsilon, delta) for a contribution, or for what moves one by `sensitivity` (L2)."""

    epsilon: Number
    delta: Number
    sensitivity: Number | None = None


class PrivacyOut(PrivacyIn):
    """Differential privacy, and the rho (zero-concentrated) that contributors calibrate their noise by."""

    rho: Number


class StudyIn(Wire):
    """A study to be created. `contributors` are the names of the organizations that it invites."""

    name: Name
    method: StudyMethod
    statistic: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z-]{1,32}$")]
    dimension: Count
    bounds: BoundsWire
    contributors: Annotated[list[Name], Field(min_length=1, max_length=10_000)]
    minimum_contributors: Count
    minimum_organizations: Count | None = None
    deadline: Instant
    privacy: PrivacyIn | None = None
    dataset: Name | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class StudyOut(Wire):
    """A study. `reason` says why it was aborted."""

    id: str
    name: str
    method: StudyMethod
    statistic: str
    dimension: int
    bounds: BoundsWire
    minimum_contributors: int
    minimum_organizations: int
    deadline: Instant
    privacy: PrivacyOut | None
    dataset: str | None
    parameters: dict[str, Any]
    state: StudyState
    reason: str | None
    created: Instant
    closed: Instant | None
    ended: Instant | None


class StudyDetailsOut(StudyOut):
    """A study, whom it invites, how many have contributed so far, and how far the computation has come."""

    contributors: list[str]
    contributions: int
    organizations: int
    progress: str | None


class StudiesOut(Wire):
    """A page of studies, the newest first; `next` goes into `behind` for the following page."""

    studies: list[StudyOut]
    next: str | None


class AbortIn(Wire):
    """Why a study is aborted: one line that everybody who takes part reads."""

    reason: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ContributionOut(Wire):
    """SHA-256 (hexadecimal) of the contribution that is stored."""

    sha256: str


@router.post("", status_code=201)
async def create_study(server: ServerDependency, work: WorkDependency, study: StudyIn) -> StudyDetailsOut:
    """Create a study; it is open for contributions until its deadline, or until it is closed."""
    terms = StudyTerms(
        method=study.method,
        statistic=study.statistic,
        dimension=study.dimension,
        bounds=Bounds(study.bounds.low, study.bounds.high),
        minimum_contributors=study.minimum_contributors,
        minimum_organizations=study.minimum_organizations or min(study.minimum_contributors, len(study.contributors)),
        deadline=study.deadline,
        privacy=None
        if study.privacy is None
        else Privacy(study.privacy.epsilon, study.privacy.delta, study.privacy.sensitivity),
        dataset=study.dataset,
        parameters=study.parameters,
    )
    return _details(await server.studies.create(work, study.name, terms, study.contributors))


@router.get("")
async def list_studies(
    server: ServerDependency,
    view: ViewDependency,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = MAX_PAGE,
    behind: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
) -> StudiesOut:
    """List the studies of the caller's organization, and those that it is invited to; the newest first."""
    found = await server.studies.newest(view, limit + 1, behind)
    page = found[:limit]
    return StudiesOut(
        studies=[StudyOut(**_members(study)) for study in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.get("/{id}")
async def get_study(server: ServerDependency, view: ViewDependency, id: StudyId) -> StudyDetailsOut:
    """Look at a study."""
    return _details(await server.studies.get(view, id))


@router.post("/{id}/close", status_code=204)
async def close_study(server: ServerDependency, work: WorkDependency, id: StudyId) -> None:
    """Take no more contributions; the computation begins."""
    await server.studies.close(work, id)


@router.post("/{id}/abort", status_code=204)
async def abort_study(server: ServerDependency, work: WorkDependency, id: StudyId, abort: AbortIn) -> None:
    """End a study without a result; its contributions are forgotten."""
    await server.studies.abort(work, id, abort.reason)


@router.get(
    "/{id}/result", response_class=Response, responses={200: {"content": {JSON: {}, **OCTETS_ANSWER["content"]}}}
)
async def get_result(server: ServerDependency, view: ViewDependency, id: StudyId) -> Response:
    """Read the result: JSON, or (method ckks) the encrypted result for the analyst's key."""
    result = await server.studies.result(view, id)
    return Response(result.content, media_type=result.media_type)


@octets.put(
    "/{id}/contribution",
    status_code=201,
    response_model=ContributionOut,
    openapi_extra=OCTETS_BODY,
    responses={200: {"model": ContributionOut, "description": "These very bytes were stored before."}},
)
async def contribute(
    server: ServerDependency, work: WorkDependency, id: StudyId, content: OctetsDependency, response: Response
) -> ContributionOut:
    """Contribute to an open study, once a client; the same bytes again change nothing."""
    accepted = await server.studies.contribute(work, id, content)
    if not accepted.new:
        response.status_code = 200
    return ContributionOut(sha256=accepted.digest)


def _details(view: StudyView) -> StudyDetailsOut:
    return StudyDetailsOut(
        **_members(view.study),
        contributors=view.invited,
        contributions=view.participation.clients,
        organizations=view.participation.organizations,
        progress=view.progress,
    )


def _members(study: Study) -> dict[str, Any]:
    terms = study.terms
    return {
        "id": study.id,
        "name": study.name,
        "method": terms.method,
        "statistic": terms.statistic,
        "dimension": terms.dimension,
        "bounds": BoundsWire(low=terms.bounds.low, high=terms.bounds.high),
        "minimum_contributors": terms.minimum_contributors,
        "minimum_organizations": terms.minimum_organizations,
        "deadline": terms.deadline,
        "privacy": terms.privacy and PrivacyOut(**asdict(terms.privacy)),
        "dataset": terms.dataset,
        "parameters": dict(terms.parameters),
        "state": study.state,
        "reason": study.reason,
        "created": study.created,
        "closed": study.closed,
        "ended": study.ended,
    }
