"""`secure-api serve` as a process: where it listens, which processes work, how it ends."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.cli.program import COMMAND, Program
from tests.services.fixtures.process import ServerProcess
from tests.services.fixtures.secure_api_server import SecureApiServer

_URL = re.compile(r"secure-api serves on (http://(\S+):(\d+)) ")


@dataclass(frozen=True)
class Serving:
    """A server that was started; `url` is where it says that it listens."""

    process: ServerProcess
    url: str
    host: str
    port: int
    home: Path

    def log(self) -> str:
        """Everything that it wrote to stderr so far."""
        return self.process.stderr.read_text(errors="replace")

    def worker_pids(self) -> list[int]:
        """The processes that ever served, by the log."""
        return self._as_fixture().worker_pids()

    def connect(self) -> HTTPConnection:
        """Open a connection."""
        connection = HTTPConnection(self.host.strip("[]"), self.port)
        connection.connect()
        return connection

    def worker_of(self, connection: HTTPConnection) -> int:
        """The process that holds the other end of a connection."""
        return self._as_fixture().worker_of(connection.sock.getsockname()[1])

    def get(self, path: str) -> str:
        """Read a public document over a connection of its own."""
        connection = self.connect()
        try:
            response = ask(connection, path)
            body = response.read().decode()
            assert response.status == 200, body
            return body
        finally:
            connection.close()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the process that was started, and wait; gives the exit status."""
        self.process.send_signal(number)
        return self.process.wait()

    def interrupt(self) -> int:
        """Press Ctrl-C: everybody in the foreground gets it; gives the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait()

    def wait_until_ready(self, workers: int = 1) -> None:
        """Return when that many workers have ever become ready; fail if the server ends before."""
        while self.log().count('"event": "ready"') < workers:
            if self.process.returncode is not None:
                pytest.fail(f"the server ended with {self.process.returncode}:\n{self.process.output()}")
            time.sleep(0.02)

    def _as_fixture(self) -> SecureApiServer:
        return SecureApiServer(self.process, self.port, self.home, self.url)


def ask(connection: HTTPConnection, path: str) -> HTTPResponse:
    """Send a request without a signature; gives the answer, to be read."""
    connection.request("GET", path)
    return connection.getresponse()


@contextmanager
def serving(
    program: Program, *words: str, workers: int = 1, env: Mapping[str, str | None] | None = None
) -> Iterator[Serving]:
    """Serve the program's home on a free port until the block ends; the profile `admin` then means this server."""
    folder = program.home.parent / f"serving-{time.monotonic_ns()}"
    command = [*COMMAND, "serve", "--port", "0", "--workers", str(workers), *words]
    process = ServerProcess(command, folder, program.environment(env), None)
    try:
        while (found := _URL.search(process.stdout.read_text(errors="replace"))) is None:
            if process.returncode is not None:
                pytest.fail(f"the server ended with {process.returncode}:\n{process.output()}")
            time.sleep(0.01)
        server = Serving(process, found[1], found[2], int(found[3]), program.home)
        server.wait_until_ready(workers)
        aim(program, server.url)
        yield server
    finally:
        process.stop()


def aim(program: Program, url: str) -> None:
    """Let the profile `admin` mean another server."""
    file = program.config / "profiles.toml"
    file.write_text(re.sub(r'(?<=\[admin\]\nurl = ")[^"]+', url, file.read_text()))
    assert f'[admin]\nurl = "{url}"' in file.read_text()
