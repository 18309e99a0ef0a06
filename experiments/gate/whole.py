"""A request through all of the product's authentication, up to an application that answers with nothing."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from experiments.gate.doorway import Doorway
from experiments.gate.prepared import LIFETIME, Prepared, receive_of


class Refused(Exception):
    """The authentication answered in the place of the application."""


class Whole:
    """The product's middleware in front of an application that reads the body and answers with 204.

    `instead` are arguments of the middleware to take in the place of those that `create_app` gives.
    """

    def __init__(self, door: Doorway, **instead: Any) -> None:
        self._guarded = door.guarded(self._application, **instead)
        self._status = 0
        self._reached: bytes | None = None

    async def step(self, p: Prepared) -> bytes | None:
        """Let one request through; gives the body that the application read. Raises Refused."""
        await self._guarded(p.scope, p.receive, self._send)
        if self._status != 204:
            raise Refused(f"status {self._status}")
        return self._reached

    def expected(self, p: Prepared, result: Any) -> bool:
        """Tell whether the application read the body, and knows whose request it is."""
        authentication = p.scope["state"]["authentication"]
        return result == p.body and authentication.caller is not None and p.signed == authentication.signed

    def forged(self, some: Sequence[Prepared]) -> dict[str, Prepared]:
        """Make requests that must not get through."""
        _spent, one, two, three = some[:4]
        other = dict(two.scope["headers"])[b"signature"]
        return {
            "a request that was sent before": some[0],
            "a request with another body": replace(one, receive=receive_of(one.body + b" ")),
            "a request with another's signature": _with(one, b"signature", other),
            "a request to another host": _with(two, b"host", b"other.example"),
            "a request that is not signed": _with(three, b"signature", None),
            "a request whose date was changed": _with(
                three,
                b"signature-input",
                dict(three.scope["headers"])[b"signature-input"].replace(
                    b"created=%d" % three.label.created, b"created=%d" % (int(time.time()) - LIFETIME)
                ),
            ),
        }

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._reached = (await receive())["body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]


def _with(p: Prepared, name: bytes, value: bytes | None) -> Prepared:
    """Set a header field to another value; None takes it away."""
    lines = [line for line in p.scope["headers"] if line[0] != name]
    if value is not None:
        lines.append((name, value))
    return replace(p, scope={**p.scope, "headers": lines})
