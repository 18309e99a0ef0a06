"""Opening an SQLite connection such that a failure leaves no thread behind."""

import asyncio
from typing import Any

import aiosqlite


async def open_sqlite(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """Open a connection as `aiosqlite.connect` does.

    aiosqlite leaves a connection that cannot be opened to its thread, which then reports its end to the event loop;
    a loop that is closed by then makes a traceback of it. So wait for the thread first.

    Raises:
        sqlite3.Error: SQLite's reason.
    """
    connection = aiosqlite.connect(*arguments, **options)
    connection._thread.daemon = True  # what SQLAlchemy does with a connection that it makes itself
    try:
        return await connection
    except BaseException:
        await asyncio.to_thread(connection._thread.join)
        raise
