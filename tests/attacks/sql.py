"""A server's database from outside, past the product: every row of it, and a statement that no client could send."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no annotations
import lmdb

Rows = list[dict[str, Any]]

_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_POSTGRESQL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def read(url: str) -> dict[str, Rows]:
    """Read every table behind a SQLAlchemy URL, all at one moment."""
    if (path := _file(url)) is None:
        return asyncio.run(_read_postgresql(url))
    return _read_sqlite(path) | {"nonces": _read_nonces(path.with_suffix(".nonces"))}


def execute(url: str, statement: str) -> None:
    """Execute one statement."""
    if (path := _file(url)) is None:
        asyncio.run(_execute_postgresql(url, statement))
        return
    _execute_sqlite(path, statement)


def forget_nonces(url: str) -> None:
    """Delete every nonce."""
    if (path := _file(url)) is None:
        asyncio.run(_execute_postgresql(url, "DELETE FROM nonces"))
    else:
        with _nonces(path.with_suffix(".nonces"), readonly=False) as file:
            table = file.open_db()
            with file.begin(write=True) as transaction:
                transaction.drop(table, delete=False)


def remembers_nonce(url: str, keyid: str, nonce: str) -> bool:
    """Tell whether a nonce of a key or session is on record: in clear on PostgreSQL, as a hash in SQLite's file."""
    mark = hashlib.sha256(f"{keyid}\0{nonce}".encode()).digest()
    rows = read(url)["nonces"]
    return any(row.get("use") == mark or (row.get("keyid"), row.get("nonce")) == (keyid, nonce) for row in rows)


def _nonces(file: Path, *, readonly: bool) -> lmdb.Environment:
    """Open the file of nonces beside an SQLite database."""
    return lmdb.open(str(file), subdir=False, readonly=readonly, create=False)


def _read_nonces(file: Path) -> Rows:
    if not file.exists():
        return []
    with (
        _nonces(file, readonly=True) as environment,
        environment.begin() as transaction,
        transaction.cursor() as cursor,
    ):
        return [{"slot": int.from_bytes(key[:8]), "use": key[8:]} for key, _ in cursor if key[0] == 0]


def _file(url: str) -> Path | None:
    scheme, _, path = url.partition(":///")
    return Path(path) if scheme.startswith("sqlite") else None


def _read_sqlite(file: Path) -> dict[str, Rows]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        names = [name for (name,) in connection.execute(_SQLITE_TABLES).fetchall()]
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}


def _execute_sqlite(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


async def _read_postgresql(url: str) -> dict[str, Rows]:
    connection = await _connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            names = [row["tablename"] for row in await connection.fetch(_POSTGRESQL_TABLES)]
            return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for name in names}
    finally:
        await connection.close()


async def _execute_postgresql(url: str, statement: str) -> None:
    connection = await _connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _connect(url: str) -> Any:
    return await asyncpg.connect(url.replace("+asyncpg", ""))
