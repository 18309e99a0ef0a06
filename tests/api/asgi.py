"""Driving an ASGI application message by message, where an HTTP client is too well-behaved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from tests.consortium import Message

Header = tuple[bytes, bytes]


@dataclass
class Answer:
    """What an application sent."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    received: int = 0  # messages that the application took from the connection

    @property
    def status(self) -> int:
        """The status code."""
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The header fields."""
        return dict(self.messages[0]["headers"])

    @property
    def problem(self) -> str:
        """The last part of a problem's type."""
        assert self.headers[b"content-type"] == b"application/problem+json"
        document = json.loads(b"".join(message.get("body", b"") for message in self.messages[1:]))
        assert document["status"] == self.status
        return str(document["type"]).rpartition(":")[2]


def http_scope(method: str, path: str, headers: Sequence[Header], query: str = "") -> dict[str, Any]:
    """The scope of a request as a server would give it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50_000),
        "server": ("testserver", 80),
        "state": {},
    }


def scope_of(message: Message, **changes: Any) -> dict[str, Any]:
    """The scope of a signed request."""
    path, _, query = message.target.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in message.headers]
    return http_scope(message.method, path, headers, query) | changes


def body(*chunks: bytes) -> list[dict[str, Any]]:
    """A body in chunks."""
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": number < last} for number, chunk in enumerate(chunks)]


DISCONNECT = {"type": "http.disconnect"}


async def drive(app: FastAPI, scope: dict[str, Any], incoming: Iterable[dict[str, Any]] = ()) -> Answer:
    """Run one connection: give the messages one after the other, then nothing more, ever."""
    answer = Answer()
    coming = iter(incoming)

    async def receive() -> dict[str, Any]:
        message = next(coming, None)
        if message is None:
            await asyncio.Event().wait()
            return DISCONNECT
        answer.received += 1
        return message

    async def send(message: Any) -> None:
        answer.messages.append(dict(message))

    await app(scope, receive, send)
    return answer
