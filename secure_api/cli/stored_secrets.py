"""What `doctor` says of the storage key, and of what is encrypted under it."""

import shlex
import time
from collections.abc import Iterator

from secure_api.cli.errors import CliError
from secure_api.data.database import Database
from secure_api.services.secret_check import SecretCheck, check_secrets
from secure_api.settings import Settings

OTHER_KEY = "encrypted under another storage key: put that one back, or run secure-api migrate --new-storage-key"


def storage_key_place(settings: Settings) -> str:
    """Read the storage key; says where it lies.

    Raises:
        ConfigurationError: there is none, or it cannot be used.
    """
    settings.read_storage_key()
    return "in SECURE_API_STORAGE_KEY" if settings.storage_key is not None else f"{settings.storage_key_path}"


async def inspect_secrets(settings: Settings) -> SecretCheck:
    """Look at what is encrypted in the database.

    Raises:
        ConfigurationError: the storage key cannot be used.
        DatabaseUnavailable: the database cannot be reached.
    """
    database = Database(settings.url)
    try:
        return await check_secrets(database, settings.read_storage_key(), int(time.time()))
    finally:
        await database.close()


async def require_readable(settings: Settings) -> None:
    """Refuse to go on with a storage key that opens no sealing key: the server would not start.

    Raises:
        CliError: the database's secrets are encrypted under another one.
        ConfigurationError: the storage key cannot be used.
        DatabaseUnavailable: the database cannot be reached.
    """
    if (await inspect_secrets(settings)).unreadable_sealing_keys:
        hint = f"put the right one back, or end all sessions: secure-api migrate --new-storage-key {_home(settings)}"
        raise CliError("the storage key is not the one that the database's secrets are encrypted under", hint=hint)


def told(check: SecretCheck, keyid: str | None, now: float) -> Iterator[tuple[str, bool, str]]:
    """Say what was found: what was looked at, whether all is sound, and the detail. `keyid` is the server's key."""
    key = check.sealing_key
    if check.unreadable_sealing_keys:
        yield "sealing key", False, f"{check.unreadable_sealing_keys} {OTHER_KEY}"
    elif key is None:
        yield "sealing key", True, "none yet: serve makes one"
    elif keyid is not None and key.keyid != keyid:
        yield "sealing key", True, "vouched for by an earlier key of the server: serve makes a new one"
    elif key.retires < now:
        yield "sealing key", True, f"retired {_hours(now - key.retires)} ago: serve makes a new one"
    else:
        ages = f"{_hours(now - key.created)} old, published for another {_hours(key.retires - now)}"
        yield "sealing key", True, f"{key.kid}, {ages}"
    if check.unreadable_sessions:
        yield "sessions", False, f"{check.unreadable_sessions} of {check.sessions} {OTHER_KEY}"
    else:
        yield "sessions", True, f"{check.sessions} active"


def _home(settings: Settings) -> str:
    return shlex.join(["--home", str(settings.home)])


def _hours(seconds: float) -> str:
    return f"{max(seconds, 0) / 3_600:.1f} h"
