"""A home of the product, as `secure-api init` makes it, whose first client has the key that signs the requests."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from crypto import PrivateKey, PublicKey, SignatureAlgorithm, write_private_key
from experiments.servers.keys import client_key
from experiments.servers.protection import Protection
from secure_api.data.database import Database
from secure_api.services.installation import initialize
from secure_api.settings import Settings

#: The settings of a home, for the server's process.
SETTINGS: Final = "settings.json"
_LONG: Final = 86_400


@dataclass(frozen=True, slots=True)
class Home:
    """A home, and the public key that the server in it signs with."""

    folder: Path
    server_key: PublicKey
    client_key: PublicKey


@cache
def server_key() -> PrivateKey:
    """Give the key of every server that this process starts."""
    return PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)


def make_home(folder: Path, protection: Protection, template: Path, **places: str) -> Home:
    """Make a home for a protection; `template` is a folder where homes of one key are kept to be copied.

    `places` are settings that say where state is: `database_url`, `redis_url`. A database elsewhere is initialized.
    """
    key = client_key(protection.signer).public_key
    made = template / key.keyid
    if not made.exists():
        made.mkdir(parents=True, mode=0o700)
        write_private_key(made / "server-key.pem", server_key(), None)
        settings = settings_of(made, {})
        settings.make_storage_key()
        _initialize(settings.url, key)
    shutil.copytree(made, folder)
    folder.chmod(0o700)
    store = {"memory": {"nonce_store": "memory"}, "redis": {"nonce_store": "redis"}}.get(protection.store, {})
    chosen: dict[str, Any] = {**places, **store, "crypto_provider": protection.provider}
    (folder / SETTINGS).write_text(json.dumps(chosen))
    if "database_url" in places:
        _initialize(places["database_url"], key)
    return Home(folder, server_key().public_key, key)


def settings_of(home: Path, chosen: dict[str, Any]) -> Settings:
    """Make the product's settings of a home: its defaults, large limits for sessions, nothing of the environment."""
    return Settings(
        _env_prefix="NOT_OF_THE_ENVIRONMENT_",
        home=home,
        access_log=False,
        log_level="error",
        max_body_bytes=2 << 20,
        session_lifetime=_LONG,
        session_idle_timeout=_LONG,
        session_max_requests=10_000_000,
        session_max_bytes=1 << 36,
        **chosen,
    )


def _initialize(url: str, key: PublicKey) -> None:
    async def run() -> None:
        database = Database(url)
        try:
            await initialize(database, operator="operator", admin_key=key, server_key=server_key())
        finally:
            await database.close()

    asyncio.run(run())
