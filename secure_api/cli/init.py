"""`secure-api init`: the database, the server's keys, the first admin and its profile; all of it or nothing."""

import asyncio
import os
import re
import secrets
import shlex
import stat
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from crypto import PrivateKey, SignatureAlgorithm, write_private_key, write_secret_file
from secure_api.cli.console import put_json, say, warn
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Home, Json, NoPassphrase, PassphraseFile
from secure_api.cli.passphrase import new_passphrase
from secure_api.cli.server_key import keep
from secure_api.cli.target import server_url
from secure_api.cli.undo import Undo
from secure_api.client import ClientProfile, ProfileStore
from secure_api.settings import PASSPHRASE_FILE, Settings

EXAMPLES = """\
secure-api init --home ./consortium
secure-api init --home /srv/secure-api --url https://api.example.org --operator hospital-alliance
SECURE_API_DATABASE_URL=postgresql+asyncpg://secure-api@db/consortium secure-api init --home /srv/secure-api"""
ADMIN = "admin"
SERVES_AT = "http://127.0.0.1:8000"  # where `serve` serves unless told otherwise


def init(
    home: Home = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", metavar="URL", help="URL that the profile's requests go to; without it, where `serve` serves."
        ),
    ] = None,
    operator: Annotated[
        str, typer.Option("--operator", metavar="NAME", help="Name of the operator's organization.")
    ] = "operator",
    algorithm: Annotated[
        SignatureAlgorithm, typer.Option("--algorithm", "-a", help="Of the server's and the admin's key.")
    ] = SignatureAlgorithm.ML_DSA_65,
    passphrase_file: PassphraseFile = None,
    no_passphrase: NoPassphrase = False,
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile named admin.")] = False,
    json: Json = False,
) -> None:
    """Make the database, the server's key, the first admin and its profile.

    Without a terminal and without a passphrase, one is made up for each key and kept in a file of mode 0600: the
    server's in the home folder, the admin's beside its key in the folder of the profiles.
    """
    from secure_api.api.wire import NAME_PATTERN

    os.umask(0o077)  # the database is the operator's alone, also in a folder that others may enter
    served = server_url(url or SERVES_AT)
    settings = Settings.load(home)
    store = ProfileStore(config)
    if re.fullmatch(NAME_PATTERN, operator) is None:
        raise CliError(f"{operator!r} is not a name: letters, digits, and behind the first _ . -", ExitCode.USAGE)
    if settings.server_key_path.exists():
        raise CliError(f"{settings.home} is initialized already", hint=_serve(settings, None, url))
    if ADMIN in store.load() and not force:
        raise CliError(
            f"there is a profile {ADMIN} in {store.file} already", ExitCode.KEY, "use --config DIR, or say --force"
        )
    passphrase = None if no_passphrase else new_passphrase(passphrase_file, "the server's and the admin's key")
    made_up = passphrase is None and not no_passphrase
    server_key, admin_key = PrivateKey.generate(algorithm), PrivateKey.generate(algorithm)
    admin_file = store.folder.resolve() / "keys" / f"{admin_key.keyid}.pem"
    secret_file = admin_file.with_suffix(".passphrase") if made_up else passphrase_file and passphrase_file.resolve()
    server_secret = settings.home / PASSPHRASE_FILE

    with Undo() as undo:
        undo.folder(settings.home)
        ours = not any(settings.home.iterdir())
        undo.folder(admin_file.parent)
        _write_key(undo, settings.server_key_path, server_key, passphrase, server_secret if made_up else None)
        _write_key(undo, admin_file, admin_key, passphrase, secret_file if made_up else None)
        if (made := settings.make_storage_key()) is not None:
            undo.made(made)
        server_file = keep(undo, store, ADMIN, server_key.public_key)
        undo.will_change(store.file)
        store.put(
            ClientProfile(
                name=ADMIN,
                url=served,
                keys=(admin_file,),
                passphrase_file=secret_file,
                organization=operator,
                role=ADMIN,
                home=None if url else settings.home.resolve(),
                server_key=server_file,
            )
        )
        client_id = asyncio.run(_initialize(undo, settings.url, operator, admin_key, server_key))
    _close_to_others(settings.home, ours=ours)
    if json:
        put_json(
            {
                "home": str(settings.home),
                "server_keyid": server_key.keyid,
                "admin": {"client": client_id, "keyid": admin_key.keyid, "profile": ADMIN},
                "profiles": str(store.file),
            }
        )
        return
    say(f"initialized {settings.home}; profile {ADMIN} is in {store.file}")
    say(f"the server's key is {server_key.keyid}")
    if made_up:
        say(f"made up passphrases: {server_secret} and {secret_file} (mode 0600)")
    say(f"next: {_serve(settings, passphrase_file, url)}")


def _close_to_others(home: Path, *, ours: bool) -> None:
    """Leave a folder that was there to its owner alone when it was empty; else only warn of who may enter it."""
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077 == 0:
        return
    if ours:
        home.chmod(0o700)
    else:
        warn(f"{home} is open to other users (mode {mode:04o}): run chmod 700 on it")


def _write_key(undo: Undo, path: Path, key: PrivateKey, passphrase: bytes | None, secret: Path | None) -> None:
    """Write a key; with a file for the secret, under a passphrase that is made up and written there."""
    if secret is not None:
        passphrase = secrets.token_urlsafe(32).encode()
        write_secret_file(secret, passphrase + b"\n")
        undo.made(secret)
    write_private_key(path, key, passphrase)
    undo.made(path)


async def _initialize(undo: Undo, url: str, operator: str, admin_key: PrivateKey, server_key: PrivateKey) -> str:
    from secure_api.data.database import Database
    from secure_api.services.installation import initialize

    database = Database(url)
    if database.path is not None and not database.path.exists():
        undo.made(*(database.path.with_name(database.path.name + suffix) for suffix in ("", "-wal", "-shm")))
    try:
        made = await initialize(database, operator=operator, admin_key=admin_key.public_key, server_key=server_key)
    finally:
        await database.close()
    return made.admin_client


def _serve(settings: Settings, passphrase_file: Path | None, url: str | None) -> str:
    """Give the command that serves; at the profile's URL when that is plain http, so that no proxy stands before it."""
    words = ["secure-api", "serve", "--home", str(settings.home)]
    if passphrase_file:
        words += ["--passphrase-file", str(passphrase_file)]
    parts = urlsplit(url or SERVES_AT)
    if url is not None and parts.scheme == "http":
        if parts.hostname not in {"127.0.0.1", "localhost"}:
            words += ["--host", str(parts.hostname)]
        words += ["--port", str(parts.port or 80)]
    return shlex.join(words)
