"""Writing down what behavior analysis finds: bounded, a flood of findings folded into counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.database import WriteSession
from secure_api.data.models import AlertRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import across_organizations
from secure_api.domain.alerts import GRAVITY, Action, AlertLabel, AlertLimits, ClientLabel, Finding, Subject

FOLDED_WITHIN: Final = timedelta(hours=1)
MAX_LABELS: Final = 4_096


class Kept(StrEnum):
    """What became of a finding."""

    STORED = "stored"
    UPDATED = "updated"
    FOLDED = "folded"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a finding, and the alert that tells of its subject; None when only a count does."""

    kept: Kept
    alert_id: str | None


@across_organizations("the server itself tells what it saw; the row says whose alert it is")
async def keep_finding(session: WriteSession, finding: Finding, organization_id: str, limits: AlertLimits) -> Filed:
    """Store a finding, or fold it into an alert that is there.

    A second finding within an hour about the same subject is added to its alert, which then tells the graver of the
    two. One above the number of new alerts that an organization has of that kind in an hour only counts in the newest
    of them. The oldest alerts make room.
    """
    if finding.update:
        changed = await session.execute(update(AlertRow).where(AlertRow.id == finding.id).values(_fate(finding)))
        # Gone: folded into another, or dropped.
        return Filed(Kept.UPDATED, finding.id) if row_count(changed) else Filed(Kept.GONE, None)
    kind = (AlertRow.organization_id == organization_id, AlertRow.subject == finding.subject.value)
    recent = AlertRow.opened > finding.opened - FOLDED_WITHIN
    same = select(AlertRow).where(AlertRow.key == finding.key, *kind, recent, AlertRow.label.is_(None))
    row = await session.scalar(same.order_by(AlertRow.sequence.desc()).limit(1))
    if row is not None:
        _add_to(row, finding)
        await session.flush()
        return Filed(Kept.FOLDED, row.id)
    count, newest = (
        await session.execute(select(func.count(), func.max(AlertRow.sequence)).where(*kind, recent))
    ).one()
    if count >= limits.per_hour:
        counted = update(AlertRow).where(AlertRow.sequence == newest).values(folded=AlertRow.folded + 1)
        await session.execute(counted)
        return Filed(Kept.FOLDED, None)
    session.add(_row(finding, organization_id))
    await session.flush()
    for condition, room in (
        ((*kind, AlertRow.key == finding.key), limits.per_subject),
        (kind, limits.per_organization),
    ):
        oldest_kept = select(AlertRow.sequence).where(*condition).order_by(AlertRow.sequence.desc())
        bar = await session.scalar(oldest_kept.offset(room - 1).limit(1))
        if bar is not None:
            await session.execute(delete(AlertRow).where(*condition, AlertRow.sequence < bar))
    return Filed(Kept.STORED, finding.id)


@across_organizations("every worker asks whether any organization labeled anything anew")
async def newest_label(session: AsyncSession) -> datetime | None:
    """Give the time of the newest label; None when there is none."""
    newest: datetime | None = await session.scalar(select(func.max(AlertRow.labeled)))
    return newest


@across_organizations("every worker heeds the labels of every organization, each for its own clients alone")
async def client_labels(session: AsyncSession, since: datetime) -> Sequence[ClientLabel]:
    """List the labels of alerts about clients that were given since a time, the newest first, at most 4,096."""
    statement = (
        select(AlertRow.key, AlertRow.label, AlertRow.labeled)
        .where(AlertRow.subject == Subject.CLIENT.value, AlertRow.label.is_not(None), AlertRow.labeled >= since)
        .order_by(AlertRow.labeled.desc())
        .limit(MAX_LABELS)
    )
    return [ClientLabel(row.key, AlertLabel(row.label), row.labeled) for row in await session.execute(statement)]


def _fate(finding: Finding) -> dict[str, Any]:
    """What of an alert changes while its episode lasts."""
    return {
        "last": finding.last,
        "requests": finding.requests,
        "rank": finding.rank,
        "action": finding.action.value,
    }


def _add_to(row: AlertRow, finding: Finding) -> None:
    row.folded += 1
    row.last = finding.last
    row.rank = max(row.rank, finding.rank)
    if GRAVITY[finding.action] > GRAVITY[Action(row.action)]:
        row.action = finding.action.value
    if row.rule is None and finding.rule is not None:
        row.rule, row.text = finding.rule, finding.text
        row.reasons, row.routes = _json(finding.reasons), _json(finding.routes)


def _json(values: Sequence[Any]) -> str:
    return json.dumps([dict(value) if isinstance(value, Mapping) else value for value in values])


def _row(finding: Finding, organization_id: str) -> AlertRow:
    return AlertRow(
        id=finding.id,
        organization_id=organization_id,
        subject=finding.subject.value,
        key=finding.key,
        opened=finding.opened,
        last=finding.last,
        seen=finding.seen,
        requests=finding.requests,
        folded=0,
        rank=finding.rank,
        rule=finding.rule,
        action=finding.action.value,
        reasons=_json(finding.reasons),
        routes=_json(finding.routes),
        text=finding.text,
        relabeled=0,
    )
