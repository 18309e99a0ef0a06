"""`secure-api init`: the database, the server's keys, the first admin and its profile; all of it or nothing."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from crypto import PrivateKey, SignatureAlgorithm, write_secret_file
from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keys import save_key
from secure_api.cli.options import Config, Home, Json, NoPassphrase, PassphraseFile
from secure_api.cli.passphrase import new_passphrase
from secure_api.client import ClientProfile, ProfileStore

EXAMPLES = (
    "Examples:\n\n`secure-api init --home ./consortium`\n\n"
    "`SECURE_API_DATABASE_URL=postgresql+asyncpg://... secure-api init --home /srv/secure-api "
    "--url https://api.example.org --operator hospital-alliance`"
)
ADMIN = "admin"


def init(
    home: Home = None,
    url: Annotated[str, typer.Option("--url", help="URL that clients will use.")] = "http://127.0.0.1:8000",
    operator: Annotated[str, typer.Option("--operator", help="Name of the operator's organization.")] = "operator",
    algorithm: Annotated[
        SignatureAlgorithm, typer.Option("--algorithm", "-a", help="Of the server's and the admin's key.")
    ] = SignatureAlgorithm.ML_DSA_65,
    passphrase_file: PassphraseFile = None,
    no_passphrase: NoPassphrase = False,
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile named admin.")] = False,
    json: Json = False,
) -> None:
    """Make the database, the server's key, the first admin and its profile `admin`.

    Without a terminal and without a passphrase, one is made up and kept in a file of mode 0600 beside each key.
    """
    from secure_api.api.wire import NAME_PATTERN
    from secure_api.data.database import Database
    from secure_api.services.installation import initialize
    from secure_api.settings import PASSPHRASE_FILE, Settings

    os.umask(0o077)  # the database is the operator's alone, also in a folder that others may enter
    settings = Settings.load(home)
    store = ProfileStore(config)
    _check_name(operator, NAME_PATTERN)
    if settings.server_key_path.exists():
        raise CliError(f"{settings.home} is initialized already", hint=f"secure-api serve --home {settings.home}")
    if ADMIN in store.load() and not force:
        raise CliError(
            f"there is a profile {ADMIN} in {store.file} already", ExitCode.KEY, "use --config DIR, or say --force"
        )
    passphrase = None if no_passphrase else new_passphrase(passphrase_file, "the server's and the admin's key")
    made_up = passphrase is None and not no_passphrase
    server_key, admin_key = PrivateKey.generate(algorithm), PrivateKey.generate(algorithm)
    admin_file = store.folder.resolve() / "keys" / f"{admin_key.keyid}.pem"
    admin_passphrase_file = passphrase_file.resolve() if passphrase_file else None

    with _all_or_nothing() as made:
        server_passphrase = admin_passphrase = passphrase
        _make_folder(settings.home)
        if made_up:
            server_passphrase, admin_passphrase = _make_up(), _make_up()
            admin_passphrase_file = admin_file.with_suffix(".passphrase")
            _make_folder(admin_file.parent)
            for file, text in (
                (settings.home / PASSPHRASE_FILE, server_passphrase),
                (admin_passphrase_file, admin_passphrase),
            ):
                write_secret_file(file, text + b"\n")
                made.append(file)
        save_key(settings.server_key_path, server_key, server_passphrase)
        made.append(settings.server_key_path)
        save_key(admin_file, admin_key, admin_passphrase)
        made.append(admin_file)

        async def install() -> str:
            database = Database(settings.url)
            if database.path is not None and not database.path.exists():
                made.extend(database.path.with_name(database.path.name + suffix) for suffix in ("", "-wal", "-shm"))
            try:
                installed = await initialize(
                    database, operator=operator, admin_key=admin_key.public_key, server_key=server_key
                )
                return installed.admin_client
            finally:
                await database.close()

        client_id = asyncio.run(install())
        store.put(ClientProfile(ADMIN, url, (admin_file,), admin_passphrase_file, organization=operator, role=ADMIN))
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
    if made_up:
        say(f"made up passphrases: {settings.home / PASSPHRASE_FILE} and {admin_passphrase_file} (mode 0600)")
    say(f"next: secure-api serve --home {settings.home}")


def _make_up() -> bytes:
    return secrets.token_urlsafe(32).encode()


def _check_name(name: str, pattern: str) -> None:
    import re

    if re.fullmatch(pattern, name) is None:
        raise CliError(f"{name!r} is not a name: letters, digits, and behind the first _ . -", ExitCode.USAGE)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"cannot make {folder}: {error.strerror}") from error


@contextmanager
def _all_or_nothing() -> Iterator[list[Path]]:
    """Collect the files that are made, and remove them when something fails."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise
