"""Is it alive, is it ready, what does it speak."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

import secure_api
from crypto import PublicKey, SignatureAlgorithm
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonces import NonceUse
from secure_api.domain.signature_policy import SignaturePolicy
from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.running import altered, started
from tests.consortium import Consortium, make_home, server_key
from tests.services.fixtures.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio


async def test_alive_and_ready(consortium: Consortium) -> None:
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        response = await consortium.http.get(path)
        assert (response.status_code, response.json()) == (200, {"status": status})
        assert response.headers["content-type"] == "application/json"


async def unavailable(consortium: Consortium) -> None:
    """What a server answers without its database: alive, not ready, and 503 to whoever signs."""
    assert (await consortium.http.get("/healthz")).status_code == 200
    for response in (
        await consortium.http.get("/readyz"),
        await consortium.admin.request("GET", "/v1/datasets"),
        await consortium.admin.request("POST", "/v1/datasets", {"name": "vitals"}),
    ):
        document = problem(response, 503, "database-unavailable")
        assert response.headers["retry-after"] == "1"
        assert document["detail"].startswith("The database")
        assert "postgres" not in response.text
        assert "sqlite" not in response.text.lower()
    problem(await consortium.http.get("/v1/datasets"), 401, "authentication-failed")


async def test_without_its_postgresql_database_it_is_not_ready(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_template: str
) -> None:
    name = postgresql_server.create_database(postgresql_template)
    url = SecretStr(postgresql_server.url(name))
    settings = Settings(home=make_home(tmp_path / "home", None), database_url=url, database_pool=2)
    async with started(settings) as consortium:
        await consortium.admin.ok("GET", "/v1/datasets")
        await asyncio.to_thread(postgresql_server.drop_database, name)
        await unavailable(consortium)
        await asyncio.to_thread(postgresql_server.execute, f"CREATE DATABASE {name} TEMPLATE {postgresql_template}")
        assert (await consortium.http.get("/readyz")).status_code == 200
        await consortium.admin.ok("POST", "/v1/datasets", {"name": "vitals"})
    await asyncio.to_thread(postgresql_server.drop_database, name)


async def test_while_its_sqlite_file_is_away_it_is_not_ready(embedded: Settings) -> None:
    """Connections that are open still see the file; new ones do not."""
    async with started(embedded) as consortium:
        server = consortium.app.state.server
        file, away = embedded.home / "secure-api.db", embedded.home / "away.db"
        await server.database.close()
        await asyncio.to_thread(file.rename, away)
        await asyncio.to_thread(file.mkdir)
        document = problem(await consortium.http.get("/readyz"), 503, "database-unavailable")
        assert document["title"] == "Database unavailable"
        problem(await consortium.admin.request("GET", "/v1/datasets"), 503, "database-unavailable")
        await asyncio.to_thread(file.rmdir)
        await asyncio.to_thread(away.rename, file)
        assert (await consortium.http.get("/readyz")).status_code == 200
        await consortium.admin.ok("GET", "/v1/datasets")


async def test_while_its_sqlite_file_is_locked_it_reads_and_refuses_to_write(
    embedded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secure_api.data.database.SQLITE_BUSY_TIMEOUT", 0.05)
    async with started(embedded) as consortium:
        with closing(sqlite3.connect(embedded.home / "secure-api.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await consortium.http.get("/readyz")).status_code == 200
            await consortium.admin.ok("GET", "/v1/datasets")
            response = await consortium.admin.request("POST", "/v1/datasets", {"name": "vitals"})
            problem(response, 503, "database-unavailable")
            assert response.headers["retry-after"] == "1"
            other.execute("ROLLBACK")
        await consortium.admin.ok("POST", "/v1/datasets", {"name": "vitals"})


async def test_nobody_is_let_in_while_nonces_cannot_be_kept(
    embedded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secure_api.data.nonce_environment.MAP_SIZE", 1 << 16)
    async with started(embedded) as consortium:
        message = consortium.admin.sign("GET", "/v1/datasets")
        store, keyid = consortium.app.state.server.nonces, consortium.admin.keys[0].keyid
        now = int(consortium.clock().timestamp())
        for number in range(9_000):  # on past the first refusal: other pages have room left
            with suppress(DatabaseUnavailable):
                await store.spend([NonceUse(keyid, f"filler {number}", now, now + 63 + number % 4)], now)
        problem(await consortium.admin.send(message), 503, "database-unavailable")
        store._file.environment.set_mapsize(1 << 20)
        assert (await consortium.admin.send(message)).status_code == 200, "its nonce was not spent"
        problem(await consortium.admin.send(message), 401, "authentication-failed")


async def test_discovery_tells_what_a_client_must_know(embedded: Settings) -> None:
    settings = altered(
        embedded,
        signature_algorithms=frozenset({SignatureAlgorithm.ED25519, SignatureAlgorithm.ML_DSA_65}),
        signature_policy=SignaturePolicy.HYBRID,
        signature_max_window=60,
        signature_clock_skew=1,
        max_body_bytes=4_096,
        max_batch_records=7,
    )
    async with started(settings) as consortium:
        response = await consortium.http.get("/.well-known/secure-api")
        assert response.headers["content-type"] == "application/json"
        document = response.json()
    assert document["versions"] == {"api": "v1", "server": secure_api.__version__}
    assert document["signatures"] == {
        "profile": "RFC 9421",
        "algorithms": ["ml-dsa-65", "ed25519"],
        "policy": "hybrid",
        "components": ["@method", "@authority", "@path", "@query", "content-type", "content-digest"],
        "parameters": ["created", "expires", "nonce", "keyid", "alg", "tag"],
        "tag": "secure-api",
        "max_window": 60,
        "clock_skew": 1,
        "content_digest": ["sha-256", "sha-512"],
    }
    assert document["limits"]["body_bytes"] == 4_096
    assert document["limits"]["batch_records"] == 7
    assert document["limits"]["json_depth"] == 64
    assert document["limits"]["page_records"] == 1_000
    (jwk,) = document["keys"]
    assert jwk["use"] == "sig"
    key = PublicKey.from_jwk(jwk)
    assert key == server_key().public_key
    assert jwk["kid"] == key.keyid
    assert "priv" not in jwk
