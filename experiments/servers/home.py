"""Homes of the product, as `secure-api init` makes them, in which the clients of this process are enrolled."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any, Final

from crypto import write_private_key
from experiments.installation import install, settings_of
from experiments.servers.keys import admin_key, enrolled_keys, server_key
from experiments.servers.protection import Protection
from secure_api.data.database import Database

#: The settings of a home, for the server's process.
SETTINGS: Final = "settings.json"
#: Seconds that the sessions of measured handshakes live: nobody uses them, and none is to end another.
_BRIEF: Final = 10


def make_home(folder: Path, protection: Protection, **places: str) -> None:
    """Make a home for a protection; the first one of a process is initialized, the others are copies of it.

    `places` are settings that say where state is: `database_url`, `redis_url`. A database elsewhere is initialized.
    """
    if "database_url" in places:
        _make(folder, places["database_url"])
    else:
        shutil.copytree(_template(folder), folder)
    folder.chmod(0o700)
    watch = "observe" if protection.watched else "off"
    chosen: dict[str, Any] = {**places, "crypto_provider": protection.provider, "behavior": watch}
    if protection.store in {"memory", "redis"}:
        chosen["nonce_store"] = protection.store
    if protection.kind == "handshake":
        chosen["session_lifetime"] = _BRIEF
    (folder / SETTINGS).write_text(json.dumps(chosen))


_made: list[Path] = []


def _template(folder: Path) -> Path:
    """Give the home to be copied: made beside the first home of this process, and anew once that is gone."""
    if not _made or not _made[0].exists():
        _made[:] = [folder.with_name("template")]
        _make(_made[0], settings_of(_made[0]).url)
    return _made[0]


def _make(folder: Path, url: str) -> None:
    folder.mkdir(mode=0o700)
    write_private_key(folder / "server-key.pem", server_key(), None)
    settings_of(folder).make_storage_key()
    asyncio.run(_initialize(url))


async def _initialize(url: str) -> None:
    database = Database(url)
    try:
        await install(database, server_key(), admin_key().public_key, enrolled_keys())
    finally:
        await database.close()
