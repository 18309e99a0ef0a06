"""A database whose writers all have to wait, so that a race goes the way it must not."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import asyncpg  # type: ignore[import-untyped]  # it has no annotations

from secure_api.data.ledger import LEDGER_LOCK

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@contextmanager
def held_up(url: str) -> Iterator[Callable[[int], None]]:
    """Keep whoever writes an entry of the ledger waiting; gives a function that returns when so many wait."""
    scheme, _, path = url.partition(":///")
    if scheme.startswith("sqlite"):
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield lambda _: time.sleep(0.5)  # nobody can see who waits for SQLite's lock
        return
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url.replace("+asyncpg", "")))

        def wait_for(count: int) -> None:
            while runner.run(connection.fetchval(_WAITING)) < count:
                time.sleep(0.01)

        try:
            runner.run(connection.execute("SELECT pg_advisory_lock($1)", LEDGER_LOCK))
            yield wait_for
        finally:
            runner.run(connection.close())
