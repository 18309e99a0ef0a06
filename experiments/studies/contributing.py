"""One client that contributes: the subject of the arms of `study-contribution`."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import httpx
import numpy

from crypto import Request, sign_request
from experiments.errors import CheckFailed, Unavailable
from experiments.homomorphic.cohort import CONTRIBUTORS, Ours, rows, way
from experiments.homomorphic.row import HIGH, LOW
from experiments.servers.arm import Window
from experiments.servers.connections import ask, connect
from experiments.servers.keys import admin_key, client_key
from experiments.servers.load import drive
from experiments.servers.message import Message
from experiments.servers.protection import Protection
from experiments.servers.requests import LIFETIME
from experiments.servers.serving import Plan, served
from experiments.studies.server import APPLICATION, DOCUMENT, RAW
from experiments.subject import Reading, Setting
from secure_api.client import SignatureAuth
from secure_api.domain.instant import format_instant

OCTETS: Final = "application/octet-stream"
JSON: Final = "application/json"
#: Requests of a window, quick and full, and before it; each contribution has a study of its own.
LOOPS: Final = (8, 40)
LEAD: Final = 2
PLAN: Final = Plan(Protection("signature"), application=APPLICATION)


class Contributing:
    """One request after the other, over one connection; `latency_p50` is the time that a contribution takes.

    `kind` is where numbers go: a study of encrypted sums (`ckks-8192`, `bfv-8192`), a study in the clear (`study`), a
    plain route that takes them `raw` or as `json`. Each study is made before its window, and takes one contribution.
    """

    def __init__(self, kind: str, size: int, setting: Setting) -> None:
        """Begin to start the server, which all arms of a process share. Raises Unavailable."""
        self._kind, self._size, self.loops = kind, size, LOOPS[setting.scale.wide]
        self._content = _content(kind, size)
        self._fingerprint = ""
        with ExitStack() as stack:
            self._server = stack.enter_context(served(PLAN, setting))
            self._stack = stack.pop_all()

    @property
    def _status(self) -> int:
        return 200 if self._kind in ("raw", "json") else 201

    def check(self) -> None:
        """Show that numbers are taken once, and neither unsigned nor changed. Raises CheckFailed."""
        self._server.ready()
        good, spoilt = self._messages(2)
        connection = connect(self._server.port)
        try:
            other = b"1" if spoilt.body[-9:-8] == b"0" else b"0"  # a digit of JSON, too
            changed = Message(spoilt.head, spoilt.body[:-9] + other + spoilt.body[-8:])
            for what, message, status in (
                ("a contribution", good, self._status),
                ("a replay", good, 401),
                ("other numbers than were signed", changed, 401),
                ("a contribution after a forgery", spoilt, self._status),
            ):
                found = ask(connection, message)
                if found.status != status:
                    raise CheckFailed(f"{what} is answered by {found.status}: {found.body[:200]!r}")
        finally:
            connection.close()

    def measure(self, loops: int) -> Reading:
        """Contribute so many times, after some that do not count. Raises ArmFailed."""
        self._server.ready()
        made = self._messages(LEAD + loops)
        window = Window(self._server)
        traffic = drive(
            [connect(self._server.port)],
            made[:LEAD],
            made[LEAD:],
            status=self._status,
            begin=window.begin,
            end=window.end,
        )
        return window.reading(loops, sum(map(len, made[LEAD:])), traffic)

    def close(self) -> None:
        """Stop the server, when no other arm uses it."""
        self._stack.close()

    def _messages(self, count: int) -> list[Message]:
        if self._kind in ("raw", "json"):
            path = RAW if self._kind == "raw" else DOCUMENT
            return [self._signed("POST", path) for _ in range(count)]
        return [self._signed("PUT", f"/v1/studies/{study}/contribution") for study in self._studies(count)]

    def _signed(self, method: str, path: str) -> Message:
        authority, content_type = f"127.0.0.1:{self._server.port}", JSON if self._kind == "json" else OCTETS
        headers = ((b"host", authority.encode()), (b"content-type", content_type.encode()))
        request = Request(method=method, scheme="http", authority=authority, path=path, query="", headers=headers)
        nonce = secrets.token_urlsafe(16)
        fields = sign_request(
            request,
            self._content,
            [client_key("ml-dsa-65")],
            created=int(time.time()),
            lifetime=LIFETIME,
            nonces=[nonce],
        )
        made = Message.compose(authority, path, fields, self._content, content_type=content_type)
        return made.edited(b"POST ", method.encode() + b" ")

    def _studies(self, count: int) -> list[str]:
        """Create studies by the admin, who is the analyst; they invite the clients of this process."""
        url = f"http://127.0.0.1:{self._server.port}"
        with httpx.Client(base_url=url, auth=SignatureAuth(admin_key()), trust_env=False, timeout=60) as http:
            if self._kind != "study" and not self._fingerprint:
                key = _ours(self._kind, self._size)
                answer = http.post("/v1/contexts", content=key.public_context, headers={"content-type": OCTETS})
                if answer.status_code not in (200, 201):
                    raise CheckFailed(f"the context is refused: {answer.text:.200}")
                self._fingerprint = key.fingerprint
            encrypted = {"context": self._fingerprint, "maximum_contributors": CONTRIBUTORS}
            study: dict[str, Any] = {
                "name": "study",
                "method": "mpc" if self._kind == "study" else "ckks",
                "statistic": "sum",
                "dimension": self._size,
                "bounds": {"low": LOW, "high": HIGH},
                "contributors": ["operator"],
                "minimum_contributors": 3,
                "minimum_organizations": 1,
                "deadline": format_instant(datetime.now(UTC) + timedelta(days=1)),
                "parameters": {} if self._kind == "study" else encrypted,
            }
            made = [http.post("/v1/studies", json=study) for _ in range(count)]
        if wrong := [answer for answer in made if answer.status_code != 201]:
            raise CheckFailed(f"a study is refused: {wrong[0].text:.200}")
        return [str(answer.json()["id"]) for answer in made]


def _ours(kind: str, size: int) -> Any:
    chosen, _ = way("ours", kind, size)
    if not isinstance(chosen, Ours):
        raise Unavailable("no key for encrypted sums")
    return chosen.key


@cache
def _content(kind: str, size: int) -> bytes:
    row = rows(size)[0]
    if kind == "json":
        return json.dumps(row.tolist()).encode()
    if kind in ("raw", "study"):
        return numpy.ascontiguousarray(row).tobytes()
    content: bytes = way("ours", kind, size)[1][0]
    return content
