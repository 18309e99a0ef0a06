"""Which store of nonces a server uses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from secure_api.app import nonce_store
from secure_api.data.database import Database
from secure_api.data.nonce_file import FileNonceStore
from secure_api.data.nonce_memory import MemoryNonceStore
from secure_api.data.nonce_redis import RedisNonceStore
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.domain.errors import ConfigurationError
from secure_api.settings import Settings

REDIS = SecretStr("redis://:s3cr3t@127.0.0.1:1/0")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings that name a database, which nobody connects to."""
    url = f"{tmp_path}/secure-api.db" if request.param == "sqlite" else "postgres@127.0.0.1:1/none"
    driver = "sqlite+aiosqlite:///" if request.param == "sqlite" else "postgresql+asyncpg://"
    return Settings(home=tmp_path, database_url=SecretStr(driver + url), redis_url=REDIS)


@pytest.fixture
def database(settings: Settings) -> Database:
    return Database(settings.url)


@pytest.mark.parametrize(
    ("chosen", "sqlite", "postgresql"),
    [
        ("auto", FileNonceStore, DatabaseNonceStore),
        ("file", FileNonceStore, ConfigurationError),
        ("database", DatabaseNonceStore, DatabaseNonceStore),
        ("redis", RedisNonceStore, RedisNonceStore),
        ("memory", MemoryNonceStore, MemoryNonceStore),
    ],
)
def test_the_settings_choose(
    settings: Settings, database: Database, chosen: str, sqlite: type, postgresql: type
) -> None:
    expected = sqlite if database.dialect == "sqlite" else postgresql
    settings = settings.model_copy(update={"nonce_store": chosen})
    if expected is ConfigurationError:
        with pytest.raises(ConfigurationError, match="SQLite"):
            nonce_store(settings, database)
    else:
        assert type(nonce_store(settings, database)) is expected


def test_redis_needs_a_url(settings: Settings, database: Database) -> None:
    with pytest.raises(ConfigurationError, match="SECURE_API_REDIS_URL"):
        nonce_store(settings.model_copy(update={"nonce_store": "redis", "redis_url": None}), database)


def test_redis_needs_its_extra(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("secure_api.data.nonce_redis", "secure_api.data.redis_connection"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigurationError, match=r"secure-api\[redis\]"):
        nonce_store(settings.model_copy(update={"nonce_store": "redis"}), database)


def test_a_url_that_redis_cannot_read_is_not_repeated(settings: Settings, database: Database) -> None:
    for url in ("redis://:s3cr3t@127.0.0.1:port/0", "redis://:s3cr3t@[::1/0"):
        with pytest.raises(ConfigurationError) as refused:
            nonce_store(settings.model_copy(update={"nonce_store": "redis", "redis_url": SecretStr(url)}), database)
        assert "s3cr3t" not in str(refused.value)
