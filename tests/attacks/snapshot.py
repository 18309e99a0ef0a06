"""Everything that a database holds, read past the product: the proof that a refused request changed nothing."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no annotations

_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_POSTGRESQL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_NONCES = "nonces"


@dataclass(frozen=True)
class Contents:
    """One table: how many rows, and a SHA-256 over all of them."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """A database at one moment. `nonces` stands apart: a believed request spends one, whatever becomes of it."""

    tables: Mapping[str, Contents]
    nonces: Contents
    ledger_tip: tuple[int, str]


def take(url: str) -> Snapshot:
    """Read every row of every table behind a SQLAlchemy URL."""
    tables = _sqlite(url) if url.startswith("sqlite") else asyncio.run(_postgresql(url))
    ledger = max((row["sequence"], row["hash"]) for row in tables["ledger_entries"])
    contents = {name: _contents(rows) for name, rows in sorted(tables.items())}
    return Snapshot({name: contents[name] for name in contents if name != _NONCES}, contents[_NONCES], ledger)


def _sqlite(url: str) -> dict[str, list[dict[str, Any]]]:
    path = Path(url.partition(":///")[2])
    tables: dict[str, list[dict[str, Any]]] = {}
    for file in (path, path.with_suffix(".nonces")):  # the second one holds the nonces, beside an SQLite database
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            names = [name for (name,) in connection.execute(_SQLITE_TABLES).fetchall()]
            tables |= {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}
    return tables


async def _postgresql(url: str) -> dict[str, list[dict[str, Any]]]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            names = [row["tablename"] for row in await connection.fetch(_POSTGRESQL_TABLES)]
            return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for name in names}
    finally:
        await connection.close()


def _contents(rows: Iterable[Mapping[str, Any]]) -> Contents:
    texts = sorted(repr(sorted(row.items())) for row in rows)
    return Contents(len(texts), hashlib.sha256("\n".join(texts).encode()).hexdigest())
