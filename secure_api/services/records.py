"""Records: append and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from secure_api.data.datasets import DatasetRepository
from secure_api.data.records import RecordPosition, RecordRepository, StoredRecord
from secure_api.domain import strict_json
from secure_api.domain.errors import PayloadTooLarge
from secure_api.domain.roles import Permission
from secure_api.domain.strict_json import JsonValue
from secure_api.services.cursor import decode_cursor, encode_cursor
from secure_api.services.ledger import RECORDS_APPENDED, records_digest
from secure_api.services.work import View, Work


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record about to be appended."""

    time: datetime
    attributes: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of records, and the cursor of the next one (None when this was the last)."""

    records: list[StoredRecord]
    next: str | None


async def append_records(work: Work, dataset_name: str, records: Sequence[NewRecord]) -> int:
    """Append records to a dataset of the caller's organization, all or none; returns how many.

    Raises:
        Forbidden: the caller's role does not append records.
        NotFound: the organization has no such dataset.
        PayloadTooLarge: more records than one request may carry.
    """
    work.caller.require(Permission.APPEND_RECORDS)
    if len(records) > work.limits.max_batch_records:
        raise PayloadTooLarge(f"One request may carry {work.limits.max_batch_records} records at most.")
    dataset = await DatasetRepository(work.session, work.caller).get(dataset_name)
    if not records:
        return 0
    rows = [(record.time, strict_json.dumps(record.attributes).decode()) for record in records]
    entry = await work.record(
        RECORDS_APPENDED,
        {"dataset": dataset.id, "count": len(rows), "sha256": records_digest(rows)},
    )
    await RecordRepository(work.session, work.caller).add(dataset.id, rows, entry.sequence)
    return len(rows)


async def page_records(
    view: View,
    dataset_name: str,
    *,
    start: datetime | None,
    end: datetime | None,
    cursor: str | None,
    limit: int,
) -> RecordPage:
    """Read a page of records in the order of time, from `start` (included) to `end` (excluded).

    Raises:
        Forbidden: the caller's role does not read records.
        NotFound: the organization has no such dataset.
        BadCursor: the cursor is none of ours.
    """
    view.caller.require(Permission.READ_RECORDS)
    dataset = await DatasetRepository(view.session, view.caller).get(dataset_name)
    rows = await RecordRepository(view.session, view.caller).page(
        dataset.id,
        start=start,
        end=end,
        after=None if cursor is None else decode_cursor(cursor),
        limit=limit + 1,
    )
    page = rows[:limit]
    more = len(rows) > limit
    return RecordPage(page, encode_cursor(RecordPosition(page[-1].time, page[-1].id)) if more else None)
