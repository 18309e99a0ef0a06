"""The newest signed head: from the server's own database, or from its API."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from crypto import CryptoError, PublicKey
from secure_api.cli.api_call import call, expect, send
from secure_api.cli.errors import CliError
from secure_api.cli.keyring import read_public
from secure_api.cli.server_settings import load_settings
from secure_api.cli.target import target
from secure_api.client import ProfileStore
from secure_api.data.database import Database
from secure_api.data.migrations import check_schema
from secure_api.domain.errors import Invalid
from secure_api.domain.ledger import LedgerHead
from secure_api.services.ledger_heads import check_signature, newest_head

NOTHING_AFTER: Final = 2**63 - 1  # the sequence behind which there is no entry: the page has the head alone


def stored_head(home: Path | None, passphrase_file: Path | None) -> LedgerHead:
    """Read the newest head of the database of a home folder; the server's key there has signed it.

    Raises:
        LedgerTampered: it has not, or there is no head.
        ConfigurationError, DatabaseUnavailable: key or database cannot be used.
    """
    settings = load_settings(home, passphrase_file)
    key = settings.server_key().public_key

    async def read() -> LedgerHead:
        database = Database(settings.url)
        try:
            await check_schema(database)
            return await newest_head(database, {key.keyid: key})
        finally:
            await database.close()

    return asyncio.run(read())


def fetched_head(profile: str, config: Path | None, key_file: Path | None) -> LedgerHead:
    """Ask a profile's server for its newest head, and hold it to the key of the file.

    Without a file, the key is the profile's own; without that, one that the server names.

    Raises:
        CliError: the server cannot be asked, or has no head.
        KeyUnusable: another key signed it.
    """
    page = call(profile, config, "GET", f"/v1/ledger?after={NOTHING_AFTER}&limit=1")
    if page["head"] is None:
        raise CliError("the server has no signed head", hint="init signs the first one: somebody took it away")
    try:
        head = LedgerHead.parse(json.dumps(page["head"]).encode())
    except Invalid as error:
        raise CliError(f"the server's answer makes no sense: {error}") from error
    pinned = ProfileStore(config).get(profile).read_server_key() if key_file is None else read_public(key_file, None)
    check_signature(head, {pinned.keyid: pinned} if pinned is not None else _published(profile, config))
    return head


def _published(profile: str, config: Path | None) -> Mapping[str, PublicKey]:
    """Read the keys that the server itself names."""
    url = target(ProfileStore(config).get(profile).url, "/.well-known/secure-api")
    jwks = expect(send("GET", url, b"", httpx.Auth()))["keys"]
    try:
        return {key.keyid: key for key in map(PublicKey.from_jwk, jwks)}
    except (CryptoError, TypeError) as error:
        raise CliError(f"the server's answer makes no sense: {error}") from error
