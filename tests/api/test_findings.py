"""Alerts are bounded, whatever is found: a flood is folded into counts, and drowns nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from secure_api.data.alerts import AlertRepository
from secure_api.data.database import Database
from secure_api.data.findings import Kept, keep_finding
from secure_api.data.organizations import OrganizationRepository
from secure_api.data.restrictions import lift, restrict, restrictions, sweep_restrictions
from secure_api.domain.alerts import Action, Alert, AlertLimits, Finding, Restriction, Subject
from secure_api.domain.caller import Caller
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Role
from secure_api.settings import Settings

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITS = AlertLimits(per_subject=3, per_organization=20, per_hour=10)


def finding(key: str, after: timedelta = timedelta(), subject: Subject = Subject.CLIENT) -> Finding:
    return Finding(
        id=new_identifier(), subject=subject, key=key, organization_id=None, opened=NOON + after, last=NOON + after,
        seen=9, requests=1, rank=2.7, rule=None, action=Action.SIGN, until=0,
        text="It stands out.", routes=("GET /v1/studies",),
        reasons=({"feature": "burst", "value": 1.0, "usual": None},),
    )  # fmt: skip


class Desk:
    """A database, and whom its alerts are shown to."""

    def __init__(self, database: Database, organization: str) -> None:
        self.database = database
        self.organization = organization
        self._caller = Caller("someone", organization, "operator", Role.ADMIN, True, ())

    async def keep(self, *found: Finding) -> list[Kept]:
        async with self.database.write() as session:
            return [(await keep_finding(session, one, self.organization, LIMITS)).kept for one in found]

    async def alerts(self) -> list[Alert]:
        async with self.database.read() as session:
            return await AlertRepository(session, self._caller).page(0, 1_000, None, None)


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    database = Database(settings.url)
    async with database.read() as session:
        operator = await OrganizationRepository(session).operator()
    assert operator is not None
    yield Desk(database, operator.id)
    await database.close()


async def test_the_same_subject_within_an_hour_counts_in_its_alert(desk: Desk) -> None:
    times = [timedelta(minutes=5 * number) for number in range(4)]
    assert await desk.keep(*(finding("alice", time) for time in times)) == [Kept.STORED, *[Kept.FOLDED] * 3]
    (alert,) = await desk.alerts()
    assert (alert.folded, alert.opened, alert.last) == (3, NOON, NOON + times[-1])
    assert await desk.keep(finding("alice", timedelta(hours=2))) == [Kept.STORED]


async def test_updates_change_the_alert_and_folded_ones_nothing(desk: Desk) -> None:
    first, second = finding("alice"), finding("alice")
    await desk.keep(first, second)
    later = [replace(one, requests=7, rank=4.5, action=Action.BLOCK, update=True) for one in (first, second)]
    assert await desk.keep(*later) == [Kept.UPDATED, Kept.GONE]
    (alert,) = await desk.alerts()
    assert (alert.requests, alert.rank, alert.action, alert.folded) == (7, 4.5, Action.BLOCK, 1)


async def test_an_alert_tells_the_graver_of_what_is_added_to_it(desk: Desk) -> None:
    graver = replace(finding("alice"), rule="foreign objects", text="A rule.", action=Action.BLOCK, rank=2.0)
    await desk.keep(finding("alice"), graver, finding("alice"))
    (alert,) = await desk.alerts()
    assert (alert.rule, alert.text, alert.action, alert.rank) == ("foreign objects", "A rule.", Action.BLOCK, 2.7)


async def test_a_flood_makes_so_many_alerts_an_hour_and_drowns_no_other_kind(desk: Desk) -> None:
    flood = [finding(f"network-{number}", subject=Subject.NETWORK) for number in range(200)]
    kept = await desk.keep(*flood)
    assert kept.count(Kept.STORED) == LIMITS.per_hour
    assert await desk.keep(finding("alice")) == [Kept.STORED]
    alerts = await desk.alerts()
    assert len(alerts) == LIMITS.per_hour + 1
    assert sum(alert.folded for alert in alerts) == 200 - LIMITS.per_hour


async def test_only_so_many_are_kept_the_newest(desk: Desk) -> None:
    for hour in range(1, 7):
        await desk.keep(*(finding(f"client-{hour}-{number}", timedelta(hours=2 * hour)) for number in range(5)))
        await desk.keep(finding("alice", timedelta(hours=2 * hour)))
    alerts = await desk.alerts()
    assert len(alerts) == LIMITS.per_organization
    assert sum(alert.key == "alice" for alert in alerts) == LIMITS.per_subject
    assert alerts[-1].key == "alice"


async def test_restrictions_are_shared_graded_and_end(desk: Desk) -> None:
    block = Restriction(Subject.CLIENT, "alice", desk.organization, Action.BLOCK, 2_000, "1")
    async with desk.database.write() as session:
        assert await restrict(session, block, 1_100)
        assert not await restrict(session, replace(block, until=1_900), 1_100)  # prolonged, never cut
        assert not await restrict(session, replace(block, action=Action.SIGN, until=2_050), 1_100)
        assert list(await restrictions(session, 1_100)) == [block]
        assert list(await restrictions(session, 2_000)) == []
        assert list(await restrictions(session, 100)) == []  # the clock was set back
        assert not await restrict(session, replace(block, action=Action.SIGN, until=2_600), 2_000)
        assert [held.action for held in await restrictions(session, 2_000)] == [Action.SIGN]
        await sweep_restrictions(session, 2_600)
        assert list(await restrictions(session, 2_000)) == []
        assert await restrict(session, block, 1_100)
        await lift(session, Subject.CLIENT, "alice")
        assert list(await restrictions(session, 1_100)) == []
