"""Who takes part in studies of a real server: each with a key, and a connection that outlasts the server's restarts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import httpx

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.client import SignatureAuth
from secure_api.client.patience import Patience
from secure_api.client.send import Send
from secure_api.client.studies import StudyClient
from secure_api.domain.instant import format_instant
from tests.consortium import admin_key, enrollment
from tests.services.fixtures.secure_api_server import SecureApiServer

HOSPITALS = ("north", "south", "west", "east")
OCTETS = "application/octet-stream"
QUICK = Patience(seconds=300.0, first=0.02, most=0.3)
LOW, HIGH = 0.0, 200.0


@dataclass
class Member:
    """A client of one organization."""

    name: str
    key: PrivateKey
    http: httpx.Client

    @cached_property
    def studies(self) -> StudyClient:
        """Its studies, as `secure_api.client` has them."""
        return StudyClient.over(self.http, QUICK)

    @property
    def keyid(self) -> str:
        """The name of its key."""
        return self.key.public_key.keyid

    def send(self, method: str, path: str, content: bytes = b"", content_type: str = "application/json") -> bytes:
        """Send one request that must succeed."""
        response = self.http.request(method, path, content=content, headers={"Content-Type": content_type})
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise AssertionError(response.text)
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            error.add_note(response.text)
            raise
        return response.content


@dataclass
class Crowd:
    """Clients of one server, wherever it is started again; their connections are closed in the end."""

    connections: ExitStack

    def connection(self, server: SecureApiServer, key: PrivateKey) -> httpx.Client:
        """Connect as the holder of a key."""
        return self.connections.enter_context(
            httpx.Client(base_url=f"http://{server.authority}", auth=SignatureAuth(key), timeout=60, trust_env=False)
        )

    def enroll(self, server: SecureApiServer, organization: str, role: str = "contributor") -> Member:
        """Enroll a client of an organization, which is made when it is not there."""
        admin = self.connection(server, admin_key())
        made = admin.post("/v1/organizations", json={"name": organization})
        assert made.status_code in {201, 409}, made.text
        token = admin.post("/v1/tokens", json={"organization": organization, "role": role}).json()["token"]
        key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
        member = Member(organization, key, self.connection(server, key))
        member.send("POST", "/v1/clients", json.dumps(enrollment(token, [key])).encode())
        return member


def new_study(method: str, dimension: int, invited: Sequence[Member], **members: Any) -> dict[str, Any]:
    """What creates a study; `members` replace or add."""
    study: dict[str, Any] = {
        "name": f"stay-by-{method}",
        "method": method,
        "statistic": "mean",
        "dimension": dimension,
        "bounds": {"low": LOW, "high": HIGH},
        "contributors": sorted({member.name for member in invited}),
        "minimum_contributors": 3,
        "deadline": format_instant(datetime.now(UTC) + timedelta(days=1)),
        "parameters": {},
    }
    return study | members


def gated(send: Send, gate: Callable[[str, str], None]) -> Send:
    """Have `gate` told method and path of each request before it is sent."""

    def sending(method: str, path: str, content: bytes, content_type: str) -> bytes:
        gate(method, path)
        return send(method, path, content, content_type)

    return sending


class Part(threading.Thread):
    """Somebody's part, in a thread of its own; `outcome` waits for its end, and raises what it raised."""

    def __init__(self, do: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._do = do
        self._result: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Do it (threading calls this)."""
        try:
            self._result = self._do()
        except BaseException as error:
            self._error = error

    @property
    def failed(self) -> bool:
        """Whether it raised something."""
        return self._error is not None

    def outcome(self) -> Any:
        """What it came to."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._result
