"""What a server has stored, read past it, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from secure_api.data.database import Database


def wait_for(url: str, statement: str, seen: Callable[[list[Any]], bool], **values: str) -> list[Any]:
    """Ask until the rows of a statement are as they should be; returns them."""
    return asyncio.run(_wait_for(url, statement, seen, values))


async def _wait_for(url: str, statement: str, seen: Callable[[list[Any]], bool], values: dict[str, str]) -> list[Any]:
    database = Database(url)
    try:
        while True:
            async with database.read() as session:
                rows = [tuple(row) for row in await session.execute(text(statement), values)]
            if seen(rows):
                return rows
            await asyncio.sleep(0.005)
    finally:
        await database.close()
