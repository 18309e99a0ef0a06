"""Homes of the product, as `secure-api init` makes them, in which the clients of this process are enrolled."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any, Final

from crypto import write_private_key
from experiments.servers.keys import admin_key, enrolled_keys, server_key
from experiments.servers.protection import Protection
from secure_api.data.clients import Client, add_client
from secure_api.data.database import Database
from secure_api.data.keys import NewKey, add_keys
from secure_api.data.organizations import OrganizationRepository
from secure_api.domain.clock import system_clock
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Role
from secure_api.services.installation import initialize
from secure_api.settings import Settings

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
    chosen: dict[str, Any] = {**places, "crypto_provider": protection.provider}
    if protection.store in {"memory", "redis"}:
        chosen["nonce_store"] = protection.store
    if protection.kind == "handshake":
        chosen["session_lifetime"] = _BRIEF
    (folder / SETTINGS).write_text(json.dumps(chosen))


def settings_of(home: Path, chosen: dict[str, Any]) -> Settings:
    """Make the product's settings of a home: its defaults, room for sealed bodies, nothing of the environment."""
    return Settings(
        _env_prefix="NOT_OF_THE_ENVIRONMENT_",
        home=home,
        access_log=False,
        log_level="error",
        max_body_bytes=2 << 20,
        **chosen,
    )


_made: list[Path] = []


def _template(folder: Path) -> Path:
    """Give the home to be copied: made beside the first home of this process, and anew once that is gone."""
    if not _made or not _made[0].exists():
        _made[:] = [folder.with_name("template")]
        _make(_made[0], settings_of(_made[0], {}).url)
    return _made[0]


def _make(folder: Path, url: str) -> None:
    folder.mkdir(mode=0o700)
    write_private_key(folder / "server-key.pem", server_key(), None)
    settings_of(folder, {}).make_storage_key()
    asyncio.run(_initialize(url))


async def _initialize(url: str) -> None:
    """Initialize a database and enroll a client for every key."""
    database, now = Database(url), system_clock()
    try:
        await initialize(database, operator="operator", admin_key=admin_key().public_key, server_key=server_key())
        async with database.write() as transaction:
            operator = await OrganizationRepository(transaction).operator()
            assert operator is not None  # noqa: S101 - it was just made
            for key in enrolled_keys():
                client = Client(new_identifier(), operator.id, key.keyid[:8], Role.CONTRIBUTOR, now)
                await add_client(transaction, client)
                await add_keys(
                    transaction,
                    [NewKey(key.keyid, key.algorithm.value, key.raw)],
                    key_set=new_identifier(),
                    client_id=client.id,
                    organization_id=operator.id,
                    created=now,
                )
    finally:
        await database.close()
