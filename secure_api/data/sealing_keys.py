"""Queries on the server's sealing keys."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import SealingKeyRow
from secure_api.data.scoping import across_organizations


@dataclass(frozen=True, slots=True)
class StoredSealingKey:
    """One generation; times are POSIX seconds, `seed` is encrypted under the storage key."""

    generation: int
    kid: str
    public_key: bytes
    seed: bytes
    created: int
    retires: int
    expires: int
    keyid: str
    signature: bytes


@across_organizations("the server's keys are nobody's")
async def sealing_keys(session: AsyncSession, now: int) -> list[StoredSealingKey]:
    """List the keys that can still open, newest first."""
    rows = await session.scalars(
        select(SealingKeyRow).where(SealingKeyRow.expires >= now).order_by(SealingKeyRow.generation.desc())
    )
    return [
        StoredSealingKey(
            row.generation,
            row.kid,
            row.public_key,
            row.seed,
            row.created,
            row.retires,
            row.expires,
            row.keyid,
            row.signature,
        )
        for row in rows
    ]


@across_organizations("the server's keys are nobody's")
async def is_sealing_key_expired(session: AsyncSession, now: int) -> bool:
    """Tell whether a key lies there that can open no more, and is to be dropped."""
    return await session.scalar(select(SealingKeyRow.kid).where(SealingKeyRow.expires < now).limit(1)) is not None


async def add_sealing_key(session: AsyncSession, key: StoredSealingKey) -> None:
    """Insert a generation; another worker's, who was first, stays."""
    try:
        async with session.begin_nested():
            session.add(
                SealingKeyRow(
                    generation=key.generation,
                    kid=key.kid,
                    public_key=key.public_key,
                    seed=key.seed,
                    created=key.created,
                    retires=key.retires,
                    expires=key.expires,
                    keyid=key.keyid,
                    signature=key.signature,
                )
            )
    except IntegrityError:
        return


@across_organizations("the server's keys are nobody's")
async def drop_sealing_keys(session: AsyncSession, *, before: int, keyid: str) -> None:
    """Delete the keys that expired before a moment (POSIX seconds), and those that another signing key vouches for."""
    await session.execute(
        delete(SealingKeyRow).where((SealingKeyRow.expires < before) | (SealingKeyRow.keyid != keyid))
    )
