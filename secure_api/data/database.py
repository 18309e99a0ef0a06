"""Engines, sessions and transactions.

Reads and writes are different things on SQLite: a transaction that reads first and writes later fails as soon as
somebody else wrote in between (SQLITE_BUSY_SNAPSHOT), so a write transaction takes the write lock at its start
(`BEGIN IMMEDIATE`) and waits for it. On PostgreSQL both kinds share one pool. Sessions of the two kinds are different
types, so that a service says which one it needs.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.sqlite_connection import open_sqlite
from secure_api.domain.errors import ConfigurationError

SQLITE_BUSY_TIMEOUT = 15.0  # seconds that a writer waits for another one
URL_RULE = "The database URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://"


class ReadSession(AsyncSession):
    """A session that only reads."""


class WriteSession(AsyncSession):
    """A session that may write; on SQLite it holds the write lock from its first statement."""


class Database:
    """The database of one process.

    Raises:
        ConfigurationError: the URL is neither SQLite (aiosqlite) nor PostgreSQL (asyncpg), or an extra is missing.
    """

    def __init__(self, url: str, *, pool_size: int = 8, sqlite_synchronous: str = "FULL") -> None:
        self._synchronous = sqlite_synchronous
        parsed = _parse(url)
        if parsed.drivername == "sqlite+aiosqlite":
            self._reader = self._sqlite_engine(url, "BEGIN", pool_size)
            # One connection: writers of this process queue here, without polling SQLite's lock.
            self._writer = self._sqlite_engine(url, "BEGIN IMMEDIATE", 1)
        elif parsed.drivername == "postgresql+asyncpg":
            if "sslmode" in parsed.query:
                raise ConfigurationError("The database URL must say ssl=..., as asyncpg calls it, not sslmode=....")
            try:
                self._reader = self._writer = create_async_engine(
                    url,
                    pool_size=pool_size,
                    max_overflow=0,
                    pool_timeout=SQLITE_BUSY_TIMEOUT,
                    pool_pre_ping=True,
                )
            except ModuleNotFoundError as error:
                raise ConfigurationError("PostgreSQL needs the extra secure-api[postgres].") from error
        else:
            raise ConfigurationError(f"{URL_RULE}, not {parsed.drivername}://.")
        self.dialect = self._writer.dialect.name
        self._committing = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        #: The file of an SQLite database, else None.
        self.path = Path(parsed.database) if self.dialect == "sqlite" and parsed.database else None

    def _sqlite_engine(self, url: str, begin: str, size: int) -> AsyncEngine:
        engine = create_async_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=SQLITE_BUSY_TIMEOUT,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT, "async_creator_fn": open_sqlite},
            pool_reset_on_return=None,  # every transaction ends in `read` or `write`
        )

        @event.listens_for(engine.sync_engine, "connect")
        def configure(connection: Any, _record: Any) -> None:
            try:
                connection.isolation_level = None  # the driver must not begin transactions of its own
                cursor = connection.cursor()
                for pragma in (
                    "journal_mode=WAL",
                    f"synchronous={self._synchronous}",
                    "foreign_keys=ON",
                    "trusted_schema=OFF",
                    "secure_delete=ON",  # the secrets of ended sessions are overwritten, not only unlinked
                ):
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.close()
            except BaseException:
                connection.close()  # the pool forgets a connection that it could not set up
                raise

        @event.listens_for(engine.sync_engine, "begin")
        def begin_transaction(connection: Any) -> None:
            # Past SQLAlchemy's cursor, which costs three trips to the driver's thread instead of one.
            connection.connection.dbapi_connection.run_async(lambda driver: driver.execute(begin))

        return engine

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes, for migrations."""
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """Open a session for one consistent read.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        async with translated(), ReadSession(self._reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """Open a session whose every statement sees the database as its first one did, whatever others commit.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        async with self.read() as session:
            if self.dialect == "postgresql":  # on SQLite a transaction that reads is a snapshot anyway
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Open a transaction; it commits when the block ends and rolls back when the block raises.

        Raises:
            DatabaseUnavailable: the database cannot be reached or stays locked.
        """
        async with (
            translated(),
            WriteSession(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a write transaction without a session: for the statements of the hot path.

        Raises:
            DatabaseUnavailable: the database cannot be reached or stays locked.
        """
        async with translated(), self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection on which each statement commits by itself: saves PostgreSQL two round trips.

        Raises:
            DatabaseUnavailable: the database cannot be reached or stays locked.
        """
        if self.dialect == "sqlite":  # where begin and commit cost no round trip
            async with self.transaction() as connection:
                yield connection
            return
        async with translated(), self._committing.connect() as connection:
            yield connection

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            DatabaseUnavailable: it gave none.
        """
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the driver's connection errors into `DatabaseUnavailable`; what else it raises is a bug and passes."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, sqlite3.OperationalError, OSError) as error:
        if getattr(getattr(error, "orig", error), "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            raise  # SQLite's word for a statement that it does not understand
        raise DatabaseUnavailable("The database is not available at the moment.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable("The database connection was lost.") from error
        if error.statement is None and not isinstance(error, IntegrityError):
            raise DatabaseUnavailable("The database does not let us in.") from error  # no such database, role, ...
        raise


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"{URL_RULE} and be well-formed.") from None
