"""`secure-api doctor`: what is there, what is missing, and how to get it.

Nothing is imported, fetched or started; liboqs is loaded, to see whether it can be.
"""

import asyncio
import ctypes
import errno
import os
import platform
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Literal

import typer

from secure_api.cli.console import put_json, put_table
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Home, Json

EXAMPLES = """\
secure-api doctor --home ./consortium
secure-api doctor --json | jq '.[] | select(.state == "problem")'"""

State = Literal["ok", "missing", "problem"]
EXTRAS = {
    "postgres": ("asyncpg",),
    "redis": ("redis", "hiredis"),
    "speed": ("uvloop", "httptools"),
    "oqs": ("oqs",),
    "experiments": ("jinja2", "jwt", "matplotlib", "numpy", "pyperf", "scipy"),
    "private": ("numpy",),
}
SERVERS = {
    "PostgreSQL": ("postgres", "pg_ctl"),
    "Redis": ("redis-server", "valkey-server"),
    "MariaDB": ("mariadbd",),
    "RabbitMQ": ("rabbitmq-server",),
    "Mosquitto": ("mosquitto",),
}
OQS_DOES = "verifies ml-dsa-44, -65, -87, makes the keys of sessions; signing and sealing stay with openssl"
TIMEX_BYTES, TIME_ERROR = 512, 5  # more than any struct timex has; a state of adjtimex(2)
SEARCHED = ("/usr/sbin", "/usr/lib/postgresql/*/bin", "/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Only a `problem` is wrong; what is `missing` is merely not there."""

    area: str
    what: str
    state: State
    detail: str


def doctor(
    home: Home = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Tell which providers, extras and servers are there, and whether all is sound.

    The exit status is 1 when something is a problem; what is missing is merely not there.
    """
    findings = [*_runtime(), *_clock(), *_providers(), *_extras(), *_servers(), *_home(home), *_profiles(config)]
    if json:
        put_json([asdict(finding) for finding in findings])
    else:
        marks = {"ok": "ok", "missing": "-", "problem": "PROBLEM"}
        put_table(
            ["area", "what", "", "detail"],
            [[finding.area, finding.what, marks[finding.state], finding.detail] for finding in findings],
        )
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(ExitCode.FAILURE)


def _runtime() -> Iterator[Finding]:
    yield Finding("runtime", "python", "ok", platform.python_version())
    for package in ("secure-api", "fastapi", "sqlalchemy", "uvicorn"):
        try:
            yield Finding("runtime", package, "ok", metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding("runtime", package, "problem", "not installed")


def _clock() -> Iterator[Finding]:
    """Ask the kernel (adjtimex(2), reading only) whether something keeps the clock right: signatures live a minute."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    state = -1 if adjtimex is None else adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    kept = {-1: "cannot tell whether it is synchronized", TIME_ERROR: "the kernel calls it unsynchronized"}
    yield Finding("runtime", "clock", "ok" if state not in kept else "missing", f"{now}, {kept.get(state, 'kept')}")


def _providers() -> Iterator[Finding]:
    from cryptography.hazmat.backends.openssl import backend

    from crypto import KEM_ALGORITHMS, ProviderUnavailable, default_provider
    from crypto.providers import oqs_library

    provider = default_provider()
    names = ", ".join(sorted(algorithm.value for algorithm in (*provider.algorithms, *KEM_ALGORITHMS)))
    yield Finding(
        "provider",
        "openssl",
        "ok",
        f"cryptography {metadata.version('cryptography')}, {backend.openssl_version_text()}: {names}",
    )
    library = oqs_library.find_library()
    if library is None:
        yield Finding("provider", "oqs", "missing", f"verifies about five times faster: {oqs_library.HOW_TO_GET_IT}")
    elif find_spec("oqs") is None:
        yield Finding("provider", "oqs", "missing", f'{library} is there: pip install "secure-api[oqs]"')
    else:
        try:
            oqs_library.open_library(library)
            yield Finding("provider", "oqs", "ok", f"{library}: {OQS_DOES}")
        except ProviderUnavailable as error:
            yield Finding("provider", "oqs", "problem", str(error))


def _extras() -> Iterator[Finding]:
    for extra, modules in EXTRAS.items():
        absent = [module for module in modules if find_spec(module) is None]
        if absent:
            yield Finding("extra", extra, "missing", f'pip install "secure-api[{extra}]"')
        else:
            yield Finding("extra", extra, "ok", ", ".join(modules))


def _servers() -> Iterator[Finding]:
    folders = [str(path) for pattern in SEARCHED for path in Path("/").glob(pattern.lstrip("/"))]
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *folders])
    for server, programs in SERVERS.items():
        found = next((path for program in programs if (path := shutil.which(program, path=search))), None)
        yield Finding("server", server, "ok" if found else "missing", found or "no program on this machine")


def _home(home: Path | None) -> Iterator[Finding]:
    from secure_api.cli.nonce_place import inspect_nonces
    from secure_api.cli.stored_secrets import inspect_secrets, storage_key_place, told
    from secure_api.domain.errors import DomainError
    from secure_api.settings import Settings

    try:
        settings = Settings.load(home)
    except DomainError as error:
        yield Finding("home", "settings", "problem", error.detail)
        return
    initialized, mode = False, 0
    try:
        initialized, mode = settings.server_key_path.exists(), stat.S_IMODE(settings.home.stat().st_mode)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
            yield Finding("home", str(settings.home), "problem", error.strerror or str(error))
            return
    if not initialized:
        yield Finding("home", str(settings.home), "missing", f"secure-api init --home {settings.home}")
        return
    open_to_others = mode & (stat.S_IRWXG | stat.S_IRWXO)
    yield Finding(
        "home",
        str(settings.home),
        "problem" if open_to_others else "ok",
        f"mode {mode:04o}" + ("; run chmod 700 on it" if open_to_others else ""),
    )
    keyid, secrets = None, True
    try:
        key = settings.server_key()
        keyid = key.keyid
        yield Finding("home", "server key", "ok", f"{key.algorithm.value} {key.keyid}")
    except DomainError as error:
        yield Finding("home", "server key", "problem", error.detail)
    try:
        yield Finding("home", "storage key", "ok", storage_key_place(settings))
    except DomainError as error:
        secrets = False
        yield Finding("home", "storage key", "problem", error.detail)
    try:
        yield Finding("home", "database", "ok", asyncio.run(_database(settings.url)))
    except DomainError as error:
        secrets = False
        yield Finding("home", "database", "problem", error.detail)
    if secrets:
        for what, sound, detail in told(asyncio.run(inspect_secrets(settings)), keyid, time.time()):
            yield Finding("home", what, "ok" if sound else "problem", detail)
    try:
        yield Finding("home", "nonces", "ok", asyncio.run(inspect_nonces(settings)))
    except DomainError as error:
        yield Finding("home", "nonces", "problem", error.detail)
    if not settings.authorities:
        yield Finding("home", "authorities", "missing", "SECURE_API_AUTHORITIES is empty: any host name is answered to")


async def _database(url: str) -> str:
    from secure_api.data.database import Database
    from secure_api.data.migrations import check_schema

    database = Database(url)
    try:
        await check_schema(database)
        return database.dialect
    finally:
        await database.close()


def _profiles(config: Path | None) -> Iterator[Finding]:
    from crypto import CryptoError, read_secret_file
    from secure_api.client import ClientError, ProfileStore

    store = ProfileStore(config)
    try:
        profiles = store.load()
    except ClientError as error:
        yield Finding("profiles", str(store.file), "problem", str(error))
        return
    yield Finding("profiles", str(store.file), "ok" if profiles else "missing", ", ".join(profiles) or "none yet")
    for profile in profiles.values():
        sound = True
        for path in (*profile.keys, *([profile.passphrase_file] if profile.passphrase_file else [])):
            try:
                read_secret_file(path)
            except CryptoError as error:
                sound = False
                yield Finding("profiles", profile.name, "problem", str(error))
        try:
            if profile.read_server_key() is None and sound:
                detail = f"no key of its server: secure-api keys pin --profile {quote(profile.name)}"
                yield Finding("profiles", profile.name, "missing", detail)
        except ClientError as error:
            yield Finding("profiles", profile.name, "problem", str(error))
