"""`secure-api serve` as a process: where it listens, which processes work, how it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cli.program import Program

_URL = re.compile(r"secure-api serves on (http://\S+)")
_STARTED = re.compile(r"Started server process \[(\d+)\]")


@dataclass(frozen=True)
class Serving:
    """A server that was started; `url` is where it says that it listens."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    def text(self) -> str:
        """Everything that it wrote to stderr so far."""
        return self.log.read_text(errors="replace")

    def worker_pids(self) -> list[int]:
        """The processes that ever served, by the log."""
        return [int(pid) for pid in _STARTED.findall(self.text())]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the process that was started, and wait; gives the exit status."""
        self.process.send_signal(number)
        return self.process.wait()

    def wait_until_ready(self, workers: int = 1) -> None:
        """Return when that many workers have ever become ready and one answers; fail if the server ends before."""
        while self.text().count('"event": "ready"') < workers or not self._answers():
            if self.process.poll() is not None:
                pytest.fail(f"the server ended with {self.process.returncode}:\n{self.text()}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def serving(
    program: Program,
    *words: str,
    initialize: bool = False,
    workers: int = 1,
    env: Mapping[str, str | None] | None = None,
) -> Iterator[Serving]:
    """Serve a home; with `initialize`, one that is made first, whose admin knows where the server is."""
    log = program.home.parent / f"serve-{time.monotonic_ns()}.log"
    if initialize:
        program.spawn("init", "--no-passphrase").ok()
    with log.open("wb") as output:
        process = program.start(
            *("serve", "--workers", str(workers), *words),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while (found := _URL.search(log.read_text(errors="replace"))) is None:
            if process.poll() is not None:
                pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)
        server = Serving(process, log, found[1])
        server.wait_until_ready(workers)
        if initialize:
            point(program, "admin", server.url)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def point(program: Program, profile: str, url: str) -> None:
    """Make a profile of the default URL one of another server."""
    file = program.config / "profiles.toml"
    text = file.read_text()
    assert f"[{profile}]" in text
    assert 'url = "http://127.0.0.1:8000"' in text
    file.write_text(text.replace('url = "http://127.0.0.1:8000"', f'url = "{url}"'))
