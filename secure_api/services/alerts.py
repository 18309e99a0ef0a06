"""Alerts as callers read and label them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from secure_api.data.alerts import AlertRepository
from secure_api.data.restrictions import lift
from secure_api.domain.alerts import Alert, AlertLabel, AlertState
from secure_api.domain.errors import Conflict
from secure_api.domain.roles import Permission
from secure_api.services.work import View, Work

#: How often one alert can be labeled: each time is a ledger entry.
MAX_RELABELED: Final = 10


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of alerts, and the sequence after which the next page begins."""

    alerts: list[Alert]
    next: int | None


async def page_alerts(
    view: View, after: int, limit: int, state: AlertState | None, since: datetime | None
) -> AlertPage:
    """Read up to `limit` alerts whose sequence is greater than `after`; of one state, or with a request `since`.

    Raises:
        Forbidden: the caller's role does not read alerts.
    """
    view.caller.require(Permission.READ_ALERTS)
    rows = await AlertRepository(view.session, view.caller).page(after, limit + 1, state, since)
    alerts = rows[:limit]
    return AlertPage(alerts, alerts[-1].sequence if len(rows) > limit else None)


async def get_alert(view: View, id: str) -> Alert:
    """Read one alert.

    Raises:
        Forbidden: the caller's role does not read alerts.
        NotFound: its organization has none of that id.
    """
    view.caller.require(Permission.READ_ALERTS)
    return await AlertRepository(view.session, view.caller).get(id)


async def label_alert(work: Work, id: str, label: AlertLabel, note: str | None) -> Alert:
    """Say what an alert was; the same again changes nothing. What is not true ends what was done because of it.

    Raises:
        Forbidden: the caller's role does not label alerts.
        NotFound: its organization has none of that id.
        Conflict: it was labeled ten times already, or anew meanwhile.
    """
    work.caller.require(Permission.LABEL_ALERTS)
    alerts = AlertRepository(work.session, work.caller)
    alert = await alerts.get(id)
    if (alert.label, alert.note) == (label, note):
        return alert
    if alert.relabeled >= MAX_RELABELED:
        raise Conflict(f"An alert is labeled {MAX_RELABELED} times at most.")
    await alerts.label(alert, label, note, work.clock())
    if label is not AlertLabel.TRUE:
        await lift(work.session, alert.subject, alert.key)
    await work.record("alert.labeled", {"alert": id, "label": label.value, "subject": alert.subject.value})
    work.session.expire_all()
    return await alerts.get(id)
