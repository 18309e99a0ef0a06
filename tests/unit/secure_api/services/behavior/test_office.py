"""The task beside the thread: what workers tell one another, and what waits while the database is away."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from anomaly.reference import LEAST
from crypto import StorageKey
from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.domain.alerts import Action, AlertLimits, BehaviorTerms
from secure_api.domain.errors import AuthenticationFailed
from secure_api.services.behavior.facts import Claim, Facts, Refused
from secure_api.services.behavior.office import BehaviorOffice, drained

pytestmark = pytest.mark.anyio

NOON = 1_750_000_000.0
TERMS = BehaviorTerms(True, 200, 1_000, 600.0, 10_000, AlertLimits())
FORGED = Refused("invalid-signature", (Claim("key", False),))
SUSPECT = Refused("replayed-or-revoked", (Claim("key", False),))


def facts(
    second: float = 0.0, address: str = "198.51.100.7", client: str = "", refused: Refused | None = None
) -> Facts:
    status = 200 if refused is None else 401
    return Facts(
        NOON + second, address, client, "alpha" if client else "", "GET", "/v1/studies", status, "", b"a", 0, 9, 0.01,
        refused,
    )  # fmt: skip


def missing(second: int, client: str, organization: str) -> Facts:
    found = facts(second, client=client)
    return found._replace(status=404, route="/v1/studies/{id}", object=f"study-{second}", organization_id=organization)


async def operator(database: Database) -> str:
    async with database.read() as session:
        return str(await session.scalar(text("SELECT id FROM organizations")))


@asynccontextmanager
async def office(
    database: Database,
    folder: Path,
    clock: Callable[[], datetime] = lambda: datetime.fromtimestamp(NOON + 20, UTC),
    terms: BehaviorTerms = TERMS,
) -> AsyncIterator[BehaviorOffice]:
    """One worker's office."""
    made = BehaviorOffice(database, StorageKey(bytes(range(32))), folder, terms, clock=clock)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def scored(made: BehaviorOffice, *offered: Facts) -> None:
    """Offer requests, and wait until they are scored."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for item in offered:
        made.offer(item)

    def tell() -> None:
        loop.call_soon_threadsafe(done.set)

    made.watcher.command(tell)
    await done.wait()


async def stored(database: Database, table: str = "restrictions") -> list[tuple[str, str]]:
    async with database.read() as session:
        rows = await session.execute(text(f"SELECT key, action FROM {table}"))
        return [(row.key, row.action) for row in rows]


async def test_a_worker_that_knows_who_shares_a_network_eases_what_another_blocked(
    database: Database, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(office(database, tmp_path))
        there = await stack.enter_async_context(office(database, tmp_path))
        await scored(here, facts(client="alice"))
        await scored(there, *(facts(second, "198.51.100.66", refused=FORGED) for second in range(3)))
        with pytest.raises(AuthenticationFailed):
            there.check_network("198.51.100.7", NOON + 4)
        await there.step()
        assert [action for _, action in await stored(database)] == ["block"]
        here.check_network("198.51.100.7", NOON + 4)
        await here.step()
        assert [action for _, action in await stored(database)] == ["sign"]
        await there.step()
        there.check_network("198.51.100.7", NOON + 4)
        # What is forged from then on shuts nobody out again.
        await scored(there, *(facts(second, "198.51.100.66", refused=FORGED) for second in range(700, 703)))
        await there.step()
        assert [action for _, action in await stored(database)] == ["sign"]
        there.check_network("198.51.100.7", NOON + 704)


async def test_what_was_found_waits_for_a_database_that_is_away(database: Database, tmp_path: Path) -> None:
    organization = await operator(database)
    nobody = Database("postgresql+asyncpg://postgres@127.0.0.1:1/consortium")
    async with office(database, tmp_path) as made:
        made._database = nobody
        await scored(made, *(missing(second, "thief", organization) for second in range(9)), facts(9, refused=SUSPECT))
        with pytest.raises(DatabaseUnavailable):
            await made.step()
        with pytest.raises(DatabaseUnavailable):
            await made._write()
        made._database = database
        assert (made.alerts, len(made.watcher.suspects)) == (0, 1)
        await made.step()
        assert (made.alerts, len(made.watcher.suspects)) == (1, 0)
        assert ("thief", "block") in await stored(database)
    await nobody.close()


async def test_a_finding_that_cannot_be_written_down_takes_no_other_along(database: Database, tmp_path: Path) -> None:
    organization = await operator(database)
    async with office(database, tmp_path) as made:
        await scored(made, *(missing(second, "thief", organization) for second in range(9)))
        good = made.watcher.findings[-1]
        made.watcher.findings.appendleft(replace(good, id="broken", text=object()))  # type: ignore[arg-type]  # a defect
        with capture_logs() as logs:
            await made.step()
        assert [line["alert"] for line in logs if line["log_level"] == "error"] == ["broken"]
        assert ("thief", "block") in await stored(database)
        nobody = Database("postgresql+asyncpg://postgres@127.0.0.1:1/consortium")
        made._database = nobody
        with pytest.raises(DatabaseUnavailable):
            await made._write_each([good])
        assert list(made.watcher.findings) == [good]
        made._database = database
    await nobody.close()


async def test_a_server_that_stops_in_the_middle_loses_no_finding(database: Database, tmp_path: Path) -> None:
    organization = await operator(database)
    async with office(database, tmp_path) as made:
        await scored(made, *(missing(second, "thief", organization) for second in range(9)))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await made._write()
        assert made.alerts == 1
        assert ("thief", "block") in await stored(database)


async def test_an_alert_counts_when_it_is_committed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = await operator(database)
    async with office(database, tmp_path) as made:
        await scored(made, *(missing(second, "thief", organization) for second in range(9)))
        with monkeypatch.context() as patch, capture_logs() as logs:
            patch.setattr("secure_api.services.behavior.office.restrict", away)
            with pytest.raises(DatabaseUnavailable):
                await made._write()
        assert (made.alerts, logs) == (0, [])
        await made._write()
        assert made.alerts == 1


async def away(*_: object) -> bool:
    raise DatabaseUnavailable("The database is not available at the moment.")


async def test_a_state_that_still_changes_is_not_saved(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secure_api.services.behavior.office.STOP_TIMEOUT", 0.01)
    go_on = threading.Event()

    def stuck() -> None:
        go_on.wait(60)

    with capture_logs() as logs:
        async with office(database, tmp_path) as made:
            made.watcher.command(stuck)
    go_on.set()
    assert [line["reason"] for line in logs] == ["scoring did not end in time"]
    assert not os.path.exists(tmp_path / "behavior-0.state")  # noqa: ASYNC240 - nothing else runs


async def test_the_model_is_compared_with_its_reference(database: Database, tmp_path: Path) -> None:
    terms = replace(TERMS, reference_interval=0.001)
    async with office(database, tmp_path, terms=terms) as made:
        assert made.reference is not None
        for hour in range(2):
            seconds = range(LEAST * hour, LEAST * (hour + 1))
            await scored(made, *(facts(second, client=f"client-{second % 9}") for second in seconds))
            await asyncio.sleep(0.002)
            await made.step()
        await scored(made)
        opinion = await made.reference.consult()
        assert opinion is not None
        assert (opinion.rows, opinion.overlooked) == (LEAST, ())
    async with office(database, tmp_path) as made:
        assert made.reference is None


async def test_a_label_is_not_undone_by_the_same_episode(database: Database, tmp_path: Path) -> None:
    organization = await operator(database)
    async with office(database, tmp_path) as made:
        await scored(made, *(missing(second, "poller", organization) for second in range(9)))
        await made.step()
        assert await stored(database) == [("poller", "block")]
        async with database.write() as session:  # as an admin's label does
            await session.execute(text("DELETE FROM restrictions"))
            labeled = {"at": datetime.fromtimestamp(NOON + 15, UTC).replace(tzinfo=None)}
            await session.execute(text("UPDATE alerts SET label = 'false', labeled = :at"), labeled)
        await made.step()
        await scored(made, *(missing(second, "poller", organization) for second in range(20, 40)))
        await made.step()
        assert await stored(database) == [("poller", "throttle")]
        assert {action for _, action in await stored(database, "alerts")} == {Action.THROTTLE.value}
    assert drained(made.watcher.findings) == []
