"""What the demo acts on: a server process on SQLite in a temporary folder, and clients who sign."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import httpx

from crypto import PrivateKey, PublicKey, SignatureAlgorithm
from secure_api.cli.errors import CliError
from secure_api.client import ProfileStore, SignatureAuth

START_PATIENCE: Final = 60.0  # seconds
PROGRAM: Final = (sys.executable, "-m", "secure_api")
MAX_LOG_LINES: Final = 20
SERVE: Final = ("serve", "--port", "0", "--no-access-log")
ANNOUNCEMENT: Final = "secure-api serves on "


@dataclass(slots=True)
class Stage:
    """A running server: its home and key, the way to it, its process, the admin, and the members as they enroll."""

    home: Path
    http: httpx.Client
    admin: SignatureAuth
    server_key: PublicKey
    environment: dict[str, str]
    server: "subprocess.Popen[bytes]"
    members: dict[str, SignatureAuth] = field(default_factory=dict)
    accepted: httpx.Request = field(init=False)

    def enroll(self, organization: str, role: str = "contributor") -> SignatureAuth:
        """Make an organization and enroll a client in it.

        Raises:
            CliError: the server refuses.
        """
        self.ok("POST", "/v1/organizations", self.admin, {"name": organization})
        issued = self.ok("POST", "/v1/tokens", self.admin, {"organization": organization, "role": role})
        key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
        self.members[organization] = auth = SignatureAuth(key)
        self.ok("POST", "/v1/clients", auth, {"token": issued["token"], "keys": [key.public_key.jwk()]})
        return auth

    def held(self, auth: SignatureAuth, *, seal: bool = False) -> SignatureAuth:
        """Sign as somebody, and hold every answer to the server's key; `seal` encrypts the bodies, too."""
        return SignatureAuth(*auth.keys, server_key=self.server_key, seal=seal)

    def request(self, method: str, path: str, auth: SignatureAuth, body: Any = None) -> httpx.Request:
        """Sign a request without sending it."""
        content = b"" if body is None else json.dumps(body).encode()
        request = self.http.build_request(method, path, content=content, headers={"Content-Type": "application/json"})
        auth.sign(request)
        return request

    def ok(self, method: str, path: str, auth: SignatureAuth, body: Any = None) -> Any:
        """Sign and send a request that must succeed.

        Raises:
            CliError: the server refuses.
        """
        response = self.http.send(self.request(method, path, auth, body))
        if not response.is_success:
            raise CliError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def program(self, *arguments: str) -> tuple[int, str]:
        """Run our own program; returns its exit status and what it printed."""
        done = _run(arguments, self.environment)
        return done.returncode, done.stdout.strip()


@contextmanager
def stage() -> Iterator[Stage]:
    """Initialize and serve in a temporary folder; everything is gone afterwards, also after SIGTERM.

    Raises:
        CliError: the server does not start, or cannot be reached any more.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_API_")}
    with ExitStack() as stack:
        previous = signal.signal(signal.SIGTERM, _end)
        stack.callback(signal.signal, signal.SIGTERM, previous)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-api-demo-")))
        home, config, log = folder / "home", folder / "config", folder / "server.log"
        made = _run(("init", "--home", str(home), "--config", str(config)), environment)
        if made.returncode != 0:
            raise CliError(f"init failed: {made.stderr.strip()}")
        with log.open("wb") as output:
            server = subprocess.Popen(  # noqa: S603 - our own program
                [*PROGRAM, *SERVE, "--home", str(home)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        url = _announced(server, log)
        profile = ProfileStore(config).get("admin")
        admin, server_key = SignatureAuth(*profile.read_keys()), profile.read_server_key()
        if server_key is None:
            raise CliError("init left no key of the server in the profile")
        # A proxy of the environment has no business between two processes of one machine.
        http = stack.enter_context(httpx.Client(base_url=url, timeout=START_PATIENCE, trust_env=False))
        try:
            if not http.get("/readyz").is_success:
                raise CliError(f"the server is not ready:\n{_tail(log)}")
            yield Stage(home, http, admin, server_key, environment, server)
        except httpx.TransportError as error:
            raise CliError(f"the server cannot be reached: {error}\n{_tail(log)}") from error


def _announced(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait until the server says where it serves; returns its URL. Connections wait there until it is ready.

    Raises:
        CliError: it ended, or took too long.
    """
    deadline = time.monotonic() + START_PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        for line in log.read_text(errors="replace").splitlines(keepends=True):
            if line.startswith(ANNOUNCEMENT) and line.endswith("\n"):
                return line.removeprefix(ANNOUNCEMENT).split()[0]
        time.sleep(0.02)
    raise CliError(f"the server did not start:\n{_tail(log)}")


def _run(arguments: tuple[str, ...], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _tail(log: Path) -> str:
    """Give the end of a log, set in behind the error that it explains."""
    lines = log.read_text(errors="replace").splitlines()[-MAX_LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines)


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Unwind as Ctrl-C does, so that the server and the folder go too.

    Raises:
        KeyboardInterrupt: always.
    """
    raise KeyboardInterrupt
