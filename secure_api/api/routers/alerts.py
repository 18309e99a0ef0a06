"""Alerts of behavior analysis."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from secure_api.api.dependencies import ViewDependency, WorkDependency
from secure_api.api.json_route import JsonRoute
from secure_api.api.wire import Instant, Wire
from secure_api.domain.alerts import Action, Alert, AlertLabel, AlertState, Subject
from secure_api.services import alerts as service

router = APIRouter(prefix="/v1/alerts", route_class=JsonRoute, tags=["alerts"])

MAX_SEQUENCE = 2**63 - 1


class AlertOut(Wire):
    """One alert. `key` is the client's id, or a pseudonym of the network or route that changes every 30 days.

    `seen` counts the subject's requests up to the alert, `requests` the unusual ones so far, `folded` later alerts that
    were added to this one. `rank` is -log10 of the share of usual requests that look as unusual.
    """

    sequence: int
    id: str
    state: AlertState
    subject: Subject
    key: str
    opened: Instant
    last: Instant
    seen: int
    requests: int
    folded: int
    rank: float
    rule: str | None
    action: Action
    reasons: list[dict[str, Any]]
    routes: list[str]
    text: str
    label: AlertLabel | None
    note: str | None
    labeled: Instant | None
    labeled_by: str | None


class AlertsOut(Wire):
    """A page of alerts; `next` goes into `after` for the following page."""

    alerts: list[AlertOut]
    next: int | None


class LabelIn(Wire):
    """What an alert was: `true`, `false`, or `expected-automation`."""

    label: AlertLabel
    note: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500)] | None = Field(
        default=None, description="For those who read the alert later; no secrets."
    )


@router.get("")
async def page_alerts(
    view: ViewDependency,
    after: Annotated[int, Query(ge=0, le=MAX_SEQUENCE)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    state: Annotated[AlertState | None, Query(description="Labeled, or not yet.")] = None,
    since: Annotated[Instant | None, Query(description="With an unusual request at this time or later.")] = None,
) -> AlertsOut:
    """Read the alerts of the caller's organization (admins, auditors), the oldest first.

    Those about networks and routes are the operator's organization's.
    """
    page = await service.page_alerts(view, after, limit, state, since)
    return AlertsOut(alerts=[_shown(alert) for alert in page.alerts], next=page.next)


@router.get("/{id}")
async def get_alert(view: ViewDependency, id: UUID) -> AlertOut:
    """Read one alert."""
    return _shown(await service.get_alert(view, str(id)))


@router.put("/{id}/label")
async def label_alert(work: WorkDependency, id: UUID, label: LabelIn) -> AlertOut:
    """Say what an alert was (admins); behavior analysis heeds it, for that client alone."""
    return _shown(await service.label_alert(work, str(id), label.label, label.note))


def _shown(alert: Alert) -> AlertOut:
    return AlertOut(
        sequence=alert.sequence,
        id=alert.id,
        state=alert.state,
        subject=alert.subject,
        key=alert.key,
        opened=alert.opened,
        last=alert.last,
        seen=alert.seen,
        requests=alert.requests,
        folded=alert.folded,
        rank=alert.rank,
        rule=alert.rule,
        action=alert.action,
        reasons=list(alert.reasons),
        routes=alert.routes,
        text=alert.text,
        label=alert.label,
        note=alert.note,
        labeled=alert.labeled,
        labeled_by=alert.labeled_by,
    )
