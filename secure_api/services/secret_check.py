"""The secrets that lie in the database, encrypted under the storage key: whether it opens them, and their end."""

from dataclasses import dataclass
from typing import Final

from crypto import CryptoError, StorageKey
from secure_api.data.database import Database
from secure_api.data.sealing_keys import StoredSealingKey, drop_sealing_keys, sealing_keys
from secure_api.data.sessions import session_secrets, sweep_sessions
from secure_api.services.sealing_keyring import seed_purpose
from secure_api.services.session_keeper import secret_purpose

_NEVER: Final = 1 << 62  # POSIX seconds


@dataclass(frozen=True, slots=True)
class SecretCheck:
    """What was found: how many sessions are active, the newest sealing key, and how many secrets do not open."""

    sessions: int
    sealing_key: StoredSealingKey | None
    unreadable_sessions: int
    unreadable_sealing_keys: int


async def check_secrets(database: Database, storage_key: StorageKey, now: int) -> SecretCheck:
    """Try every secret that is in use at `now` (POSIX seconds); none of them leaves this function.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    async with database.read() as view:
        keys = await sealing_keys(view, now)
        sessions = await session_secrets(view, now)
    return SecretCheck(
        len(sessions),
        keys[0] if keys else None,
        sum(not _opens(storage_key, secret, secret_purpose(id)) for id, secret in sessions),
        sum(not _opens(storage_key, key.seed, seed_purpose(key.generation)) for key in keys),
    )


async def forget_secrets(database: Database) -> int:
    """Delete every session and every sealing key; returns how many sessions there were.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    async with database.write() as session:
        await drop_sealing_keys(session, before=_NEVER, keyid="")
        return await sweep_sessions(session, _NEVER)


def _opens(storage_key: StorageKey, secret: bytes, purpose: str) -> bool:
    try:
        storage_key.decrypt(secret, purpose)
    except CryptoError:
        return False
    return True
