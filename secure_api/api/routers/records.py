"""Records of a dataset."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import ConfigDict, Discriminator, FailFast, RootModel, Tag

from secure_api.api.dependencies import ViewDependency, WorkDependency
from secure_api.api.json_route import JSON, JsonRoute
from secure_api.api.problem import UNION_TAGS
from secure_api.api.wire import NAME_PATTERN, Instant, Wire
from secure_api.domain import strict_json
from secure_api.domain.errors import Invalid
from secure_api.domain.instant import format_instant
from secure_api.services import records as service

MAX_PAGE = 1_000
MAX_CURSOR = 64  # characters

router = APIRouter(prefix="/v1/datasets/{name}/records", route_class=JsonRoute, tags=["records"])

DatasetName = Annotated[str, Path(pattern=NAME_PATTERN, description="The dataset's name.")]


class RecordIn(Wire):
    """One time-stamped entry. Its attributes are any JSON that the gate accepts."""

    time: Instant
    attributes: dict[str, Any]


class Batch(RootModel[Annotated[list[RecordIn], FailFast()]]):
    """An array of records. Only the first broken one is reported: a body could hold half a million of them."""

    model_config = ConfigDict(frozen=True)


def _form(value: Any) -> str:
    return UNION_TAGS[1] if isinstance(value, list) else UNION_TAGS[0]


OneOrMany = Annotated[
    Annotated[RecordIn, Tag(UNION_TAGS[0])] | Annotated[Batch, Tag(UNION_TAGS[1])],
    Discriminator(_form),
    Body(description="One record, or an array of them."),
]


class AcceptedOut(Wire):
    """How many records are stored, durably, now."""

    accepted: int


class RecordOut(Wire):
    """One record, as it was accepted."""

    time: Instant
    attributes: dict[str, Any]


class RecordsOut(Wire):
    """A page of records in the order of time; `next` goes into `cursor` for the following page."""

    records: list[RecordOut]
    next: str | None


@router.post("", status_code=201)
async def append_records(work: WorkDependency, name: DatasetName, records: OneOrMany) -> AcceptedOut:
    """Append one record or an array: all or none."""
    batch = records.root if isinstance(records, Batch) else [records]
    accepted = await service.append_records(
        work, name, [service.NewRecord(record.time, record.attributes) for record in batch]
    )
    return AcceptedOut(accepted=accepted)


@router.get("", response_model=RecordsOut)
async def page_records(
    view: ViewDependency,
    name: DatasetName,
    start: Annotated[Instant | None, Query(alias="from", description="Included.")] = None,
    end: Annotated[Instant | None, Query(alias="to", description="Excluded.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR)] = None,
) -> Response:
    """Read records in the order of time."""
    if start is not None and end is not None and start > end:
        raise Invalid("from must not be after to.")
    page = await service.page_records(view, name, start=start, end=end, cursor=cursor, limit=limit)
    # The stored text goes out as it is: parsing and writing it again could only change it.
    records = ",".join(
        f'{{"time":"{format_instant(record.time)}","attributes":{record.attributes}}}' for record in page.records
    )
    following = strict_json.dumps(page.next).decode()
    return Response(f'{{"records":[{records}],"next":{following}}}', media_type=JSON)
