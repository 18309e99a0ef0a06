"""Everything that a server has stored, to prove that a refused request changed nothing."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from sqlalchemy import select

from secure_api.data.models import Model


async def rows(app: FastAPI) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of every table; spent nonces left out, since a refused request may spend one.

    So are what behavior analysis finds, which it does a moment after the request.
    """
    async with app.state.server.database.read() as session:
        return {
            table.name: sorted((tuple(row) for row in await session.execute(select(table))), key=repr)
            for table in Model.metadata.sorted_tables
            if table.name not in {"nonces", "alerts", "restrictions"}
        }
