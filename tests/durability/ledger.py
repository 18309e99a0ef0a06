"""The ledger of a server, verified from outside."""

from __future__ import annotations

import asyncio

from secure_api.data.database import Database
from secure_api.services.ledger_verification import LedgerReport, verify
from tests.consortium import server_key


def verified(url: str) -> LedgerReport:
    """Verify the ledger and every record that it vouches for."""
    return asyncio.run(_verified(url))


async def _verified(url: str) -> LedgerReport:
    database, key = Database(url), server_key().public_key
    try:
        return await verify(database, {key.keyid: key})
    finally:
        await database.close()
