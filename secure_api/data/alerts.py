"""Queries on alerts: what callers may see of them."""

import json
from datetime import datetime

from sqlalchemy import update

from secure_api.data.models import AlertRow
from secure_api.data.row_count import row_count
from secure_api.data.scoping import ScopedRepository, across_organizations
from secure_api.domain.alerts import Action, Alert, AlertLabel, AlertState, Subject
from secure_api.domain.errors import Conflict, NotFound


class AlertRepository(ScopedRepository):
    """The alerts of the caller's organization."""

    async def page(self, after: int, limit: int, state: AlertState | None, since: datetime | None) -> list[Alert]:
        """Read up to `limit` alerts whose sequence is greater than `after`, in that order."""
        statement = self.select_own(AlertRow).where(AlertRow.sequence > after)
        if state is not None:
            labeled = AlertRow.label.is_not(None)
            statement = statement.where(labeled if state is AlertState.LABELED else ~labeled)
        if since is not None:
            statement = statement.where(AlertRow.last >= since)
        rows = await self._session.scalars(statement.order_by(AlertRow.sequence).limit(limit))
        return [_alert(row) for row in rows]

    async def get(self, id: str) -> Alert:
        """Find an alert.

        Raises:
            NotFound: the organization has none of that id.
        """
        row = await self._session.scalar(self.select_own(AlertRow).where(AlertRow.id == id))
        if row is None:
            raise NotFound("There is no such alert.")
        return _alert(row)

    @across_organizations("an UPDATE begins with no select_own; the organization is in its condition")
    async def label(self, alert: Alert, label: AlertLabel, note: str | None, now: datetime) -> None:
        """Label an alert that `get` gave.

        Raises:
            Conflict: it was labeled anew meanwhile.
        """
        result = await self._session.execute(
            update(AlertRow)
            .where(
                AlertRow.organization_id == self._caller.organization_id,
                AlertRow.id == alert.id,
                AlertRow.relabeled == alert.relabeled,
            )
            .values(
                label=label.value,
                note=note,
                labeled=now,
                labeled_by=self._caller.client_id,
                relabeled=alert.relabeled + 1,
            )
        )
        if row_count(result) != 1:
            raise Conflict("The alert was labeled anew meanwhile.")


def _alert(row: AlertRow) -> Alert:
    return Alert(
        sequence=row.sequence,
        id=row.id,
        organization_id=row.organization_id,
        subject=Subject(row.subject),
        key=row.key,
        opened=row.opened,
        last=row.last,
        seen=row.seen,
        requests=row.requests,
        folded=row.folded,
        rank=row.rank,
        rule=row.rule,
        action=Action(row.action),
        reasons=json.loads(row.reasons),
        routes=json.loads(row.routes),
        text=row.text,
        label=None if row.label is None else AlertLabel(row.label),
        note=row.note,
        labeled=row.labeled,
        labeled_by=row.labeled_by,
        relabeled=row.relabeled,
    )
