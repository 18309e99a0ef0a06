"""A server's life: what it refuses to start on, what it does beside requests, how it ends."""

from __future__ import annotations

import asyncio
import gc
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from secure_api.app import attempt, create_app, from_environment, repeat
from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.ledger import newest_head, tip
from secure_api.domain.errors import ConfigurationError
from secure_api.services.ledger_verification import verify
from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.running import altered, started
from tests.consortium import AUTHORITY, Consortium, make_home, server_key
from tests.services.fixtures.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged, as events."""
    with structlog.testing.capture_logs() as captured:
        yield captured


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{AUTHORITY}")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what a background task does."""
    while not await condition():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.02)


class TestStart:
    """What a server refuses to start on."""

    def test_a_home_that_is_not_initialized(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="secure-api init"):
            create_app(Settings(home=tmp_path / "nowhere"))

    async def test_no_database(self, tmp_path: Path) -> None:
        app = create_app(Settings(home=make_home(tmp_path / "home", None)))
        with pytest.raises(ConfigurationError, match="There is no database"):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")
        assert app.state.server.ready is False
        assert not (tmp_path / "home" / "secure-api.db").exists()

    async def test_an_empty_database(self, tmp_path: Path) -> None:
        home = make_home(tmp_path / "home", None)
        (home / "secure-api.db").touch()
        app = create_app(Settings(home=home))
        with pytest.raises(ConfigurationError, match=r"revision none, this version needs \d+; run: secure-api migrate"):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")
        assert app.state.server.ready is False

    async def test_an_empty_postgresql_database(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
        name = postgresql_server.create_database()
        home = make_home(tmp_path / "home", None)
        app = create_app(Settings(home=home, database_url=SecretStr(postgresql_server.url(name))))
        with pytest.raises(ConfigurationError, match="revision none"):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")
        postgresql_server.drop_database(name)

    @pytest.mark.parametrize("revision", ["0000", "9999"])
    async def test_a_database_of_another_version(self, settings: Settings, revision: str) -> None:
        database = Database(settings.url)
        async with database.write() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        await database.close()
        app = create_app(settings)
        with pytest.raises(ConfigurationError, match=f"revision {revision}"):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")

    async def test_a_database_that_is_away(self, embedded: Settings) -> None:
        url = SecretStr("postgresql+asyncpg://postgres@127.0.0.1:1/consortium")
        app = create_app(altered(embedded, database_url=url))
        with pytest.raises(DatabaseUnavailable):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")

    async def test_nonces_that_cannot_be_kept(self, embedded: Settings) -> None:
        await asyncio.to_thread((embedded.home / "secure-api.nonces").mkdir)
        app = create_app(embedded)
        with pytest.raises(DatabaseUnavailable):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")

    async def test_the_environment_is_enough(self, embedded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECURE_API_HOME", str(embedded.home))
        monkeypatch.setenv("SECURE_API_LOG_LEVEL", "warning")
        app = from_environment()
        async with app.router.lifespan_context(app), client(app) as http:
            assert (await http.get("/readyz")).status_code == 200
            assert gc.get_freeze_count() > 10_000  # no collection looks at what was there at the start
        assert gc.get_freeze_count() == 0
        monkeypatch.setenv("SECURE_API_SIGNATURE_MAX_WINDOW", "301")
        with pytest.raises(ConfigurationError, match="SECURE_API_SIGNATURE_MAX_WINDOW"):
            from_environment()


async def test_it_is_ready_between_start_and_end(settings: Settings) -> None:
    app = create_app(settings)
    async with client(app) as http:
        for _ in range(2):  # a lifespan each: starting again works
            response = await http.get("/readyz")
            document = problem(response, 503, "not-ready")
            assert document["detail"] == "The server is starting or stopping."
            assert response.headers["retry-after"] == "1"
            assert (await http.get("/healthz")).json() == {"status": "ok"}
            async with app.router.lifespan_context(app):
                response = await http.get("/readyz")
                assert (response.status_code, response.json()) == (200, {"status": "ready"})
        problem(await http.get("/readyz"), 503, "not-ready")


class TestHeads:
    """The ledger's head: signed at an interval and at shutdown."""

    FAILURE = "could not sign the ledger's head"

    async def head_is(self, consortium: Consortium, sequence: int) -> bool:
        page = await consortium.admin.ok("GET", "/v1/ledger")
        return bool(page["head"]["sequence"] == sequence)

    async def failed(self, lines: Lines) -> bool:
        return any(line["event"] == self.FAILURE for line in lines)

    async def signed(self, settings: Settings) -> tuple[int, int]:
        """The newest sequence, and the newest that is signed, with everything verified."""
        database = Database(settings.url)
        try:
            key = server_key().public_key
            await verify(database, {key.keyid: key})
            async with database.read() as session:
                newest, head = await tip(session), await newest_head(session)
            assert newest is not None
            assert head is not None
            return newest[0], head.sequence
        finally:
            await database.close()

    async def test_at_shutdown(self, settings: Settings) -> None:
        async with started(settings) as consortium:
            await consortium.member("alpha")
            assert await self.signed(settings) == (4, 1)
        assert await self.signed(settings) == (4, 4)

    async def test_at_an_interval(self, settings: Settings) -> None:
        async with started(altered(settings, ledger_head_interval=1)) as consortium:
            await consortium.member("alpha")
            await until(lambda: self.head_is(consortium, 4))
            metrics = (await consortium.http.get("/metrics")).text
            assert re.search(r"^secure_api_ledger_heads_signed_total [1-4]\.0$", metrics, re.MULTILINE)
            assert await self.signed(settings) == (4, 4)

    async def test_a_failure_is_logged_and_tried_again(
        self, embedded: Settings, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("secure_api.data.database.SQLITE_BUSY_TIMEOUT", 0.05)
        async with started(altered(embedded, ledger_head_interval=1)) as consortium:
            await consortium.admin.ok("POST", "/v1/datasets", {"name": "vitals"})
            with closing(sqlite3.connect(embedded.home / "secure-api.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await until(lambda: self.failed(lines))
                other.execute("COMMIT")
            await until(lambda: self.head_is(consortium, 2))
        failure = next(line for line in lines if line["event"] == self.FAILURE)
        assert failure["log_level"] == "warning"
        assert failure["error"] == "The database is not available at the moment."


async def test_expired_nonces_are_swept(settings: Settings) -> None:
    async with started(altered(settings, nonce_sweep_interval=1)) as consortium:
        replayed = consortium.admin.sign("GET", "/v1/clients/me")
        assert (await consortium.admin.send(replayed)).status_code == 200
        for _ in range(3):
            await consortium.admin.ok("GET", "/v1/clients/me")
        consortium.clock.advance(10_000)
        await consortium.admin.ok("GET", "/v1/clients/me")

        async def swept() -> bool:
            return "secure_api_nonces_swept_total 4.0" in (await consortium.http.get("/metrics")).text

        await until(swept)
        problem(await consortium.admin.send(replayed), 401, "authentication-failed")


async def test_a_defect_in_a_background_task_is_logged_and_does_not_end_it(lines: Lines) -> None:
    done: list[int] = []

    async def action() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise ZeroDivisionError
        if len(done) == 2:
            raise DatabaseUnavailable

    task = asyncio.create_task(repeat("do it", action, 0.001))

    async def often() -> bool:
        return len(done) > 3

    await until(often)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("could not do it", "error"),
        ("could not do it", "warning"),
    ]
    assert isinstance(lines[0]["exc_info"], ZeroDivisionError)


async def test_an_attempt_that_is_cancelled_ends(lines: Lines) -> None:
    async def action() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await attempt("do it", action)
    assert lines == []
