"""What the demo acts on: a server process on SQLite in a temporary folder, and clients who sign."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.cli.errors import CliError
from secure_api.client import ProfileStore, SignatureAuth

START_PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Stage:
    """A running server: its home, its URL, and the admin's way in."""

    home: Path
    url: str
    http: httpx.Client
    admin: SignatureAuth

    def enroll(self, organization: str) -> SignatureAuth:
        """Make an organization and enroll a contributor in it.

        Raises:
            CliError: the server refuses.
        """
        self.ok("POST", "/v1/organizations", self.admin, {"name": organization})
        issued = self.ok("POST", "/v1/tokens", self.admin, {"organization": organization, "role": "contributor"})
        key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
        auth = SignatureAuth(key)
        self.ok("POST", "/v1/clients", auth, {"token": issued["token"], "keys": [key.public_key.jwk()]})
        return auth

    def request(self, method: str, path: str, auth: SignatureAuth, body: Any = None) -> httpx.Request:
        """Sign a request without sending it."""
        content = b"" if body is None else json.dumps(body).encode()
        request = self.http.build_request(method, path, content=content, headers={"Content-Type": "application/json"})
        return next(auth.auth_flow(request))

    def ok(self, method: str, path: str, auth: SignatureAuth, body: Any = None) -> Any:
        """Sign and send a request that must succeed.

        Raises:
            CliError: the server refuses.
        """
        response = self.http.send(self.request(method, path, auth, body))
        if not response.is_success:
            raise CliError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()


@contextmanager
def stage() -> Iterator[Stage]:
    """Initialize and serve in a temporary folder; everything is gone afterwards.

    Raises:
        CliError: the server does not start.
    """
    with tempfile.TemporaryDirectory(prefix="secure-api-demo-") as folder:
        home, config = Path(folder, "home"), Path(folder, "config")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_API_")}
        program = [sys.executable, "-m", "secure_api"]
        done = subprocess.run(  # noqa: S603 - our own program
            [*program, "init", "--home", str(home), "--config", str(config)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CliError(f"init failed: {done.stderr.strip()}")
        log = Path(folder, "server.log")
        with log.open("wb") as output:
            server = subprocess.Popen(  # noqa: S603 - our own program
                [*program, "serve", "--home", str(home), "--port", "0", "--no-access-log"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            url = _wait_for(server, log)
            keys = ProfileStore(config).get("admin").read_keys()
            with httpx.Client(base_url=url, timeout=30) as http:
                yield Stage(home, url, http, SignatureAuth(*keys))
        finally:
            server.terminate()
            server.wait()


def _wait_for(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait until the server answers that it is ready; returns its URL.

    Raises:
        CliError: it ended, or took too long.
    """
    deadline = time.monotonic() + START_PATIENCE
    marker = "secure-api serves on "
    while server.poll() is None and time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if marker in text:
            url = text.partition(marker)[2].split()[0]
            try:
                if httpx.get(f"{url}/readyz").is_success:
                    return url
            except httpx.TransportError:
                pass
        time.sleep(0.05)
    raise CliError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
