"""The places where the product spends nonces, each with the store that its server takes there."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import Final

from sqlalchemy import text

from experiments.errors import Unavailable
from experiments.instances.affinity import move_to_core
from experiments.instances.postgresql import postgresql
from experiments.instances.redis import redis
from experiments.nonces.place import CLOCK_SKEW, Place, installed, no_wait, sqlite_url
from experiments.subject import Setting
from secure_api.data.database import Database
from secure_api.data.nonce_file import FileNonceStore
from secure_api.data.nonce_memory import MemoryNonceStore
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.domain.errors import ConfigurationError

_SQLITE_BYTES: Final = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
_POSTGRESQL_BYTES: Final = "SELECT pg_total_relation_size('nonces')"
_REDIS_TIMEOUT: Final = 2.0  # seconds: what the product allows when it is not told otherwise


@asynccontextmanager
async def memory(setting: Setting) -> AsyncIterator[Place]:
    """Nonces in this process: for one worker, forgotten when it ends."""
    async with installed(sqlite_url(setting.folder)) as (database, keyid):

        def make() -> MemoryNonceStore:
            return MemoryNonceStore(database, clock_skew=CLOCK_SKEW, pause=no_wait)

        yield Place(make, keyid, survives=False, swept=True)


@asynccontextmanager
async def file(setting: Setting) -> AsyncIterator[Place]:
    """Nonces in an LMDB file beside SQLite: what the embedded server takes."""
    async with installed(sqlite_url(setting.folder)) as (database, keyid):
        main = database.path
        assert main is not None  # noqa: S101 - it is SQLite
        path = main.with_suffix(".nonces")

        async def size() -> int:
            return path.stat().st_size

        yield Place(lambda: FileNonceStore(path, main), keyid, size=size)


@asynccontextmanager
async def sqlite(setting: Setting) -> AsyncIterator[Place]:
    """Nonces in a table of SQLite, each spent in a transaction that waits for the disk."""
    async with installed(sqlite_url(setting.folder)) as (database, keyid):
        yield Place(lambda: DatabaseNonceStore(database), keyid, size=lambda: _number(database, _SQLITE_BYTES))


@asynccontextmanager
async def postgres(setting: Setting) -> AsyncIterator[Place]:
    """Nonces in a table of a PostgreSQL of our own that waits for the disk: what servers of many hosts take.

    Raises:
        Unavailable: there is no PostgreSQL here.
    """
    with postgresql(durable=True) as server:
        move_to_core(server.pid, setting.server_core)
        try:
            async with installed(server.url(server.create_database())) as (database, keyid):
                yield Place(
                    lambda: DatabaseNonceStore(database),
                    keyid,
                    size=lambda: _number(database, _POSTGRESQL_BYTES),
                    service=server.pid,
                )
        except ConfigurationError as error:  # a library is missing
            raise Unavailable(error.detail) from error


@asynccontextmanager
async def remote(setting: Setting) -> AsyncIterator[Place]:
    """Nonces in a Redis of our own, keys in SQLite: for many hosts and many requests.

    Raises:
        Unavailable: there is no Redis here, or no library for it.
    """
    try:
        from secure_api.data.nonce_redis import RedisNonceStore
    except ModuleNotFoundError as error:
        raise Unavailable("Redis needs secure-api[experiments]") from error
    with redis() as server:
        move_to_core(server.pid, setting.server_core)
        async with installed(sqlite_url(setting.folder)) as (database, keyid):

            def make() -> RedisNonceStore:
                return RedisNonceStore(
                    server.url,
                    database,
                    prefix="secure-api:",
                    timeout=_REDIS_TIMEOUT,
                    clock_skew=CLOCK_SKEW,
                    pause=no_wait,
                )

            async def size() -> int:
                return int(server.execute("INFO", "memory")["used_memory"])

            yield Place(make, keyid, size=size, service=server.pid)


#: What makes a place ready, by its name.
PLACES: Final[Mapping[str, Callable[[Setting], AbstractAsyncContextManager[Place]]]] = MappingProxyType(
    {"memory": memory, "file": file, "sqlite": sqlite, "postgresql": postgres, "redis": remote}
)


async def _number(database: Database, statement: str) -> int:
    async with database.read() as session:
        return int((await session.execute(text(statement))).scalar_one())
