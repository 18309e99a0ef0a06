"""Messages as bytes on a socket: an HTTP library would mend what an attack spoils."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from types import TracebackType
from typing import Any, Self

from tests.consortium import Message

_HANG = 120.0  # seconds after which a read that gets no answer becomes an error instead of a hang
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_BUFFERS = 16 << 20  # bytes that the kernel may take for a server that reads no more


@dataclass(frozen=True)
class Reply:
    """One response as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """The value of a header field."""
        return next(value for key, value in self.headers if key.lower() == name.lower())


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_HANG)

    @property
    def port(self) -> int:
        """This end's port."""
        port: int = self._socket.getsockname()[1]
        return port

    def send(self, data: bytes) -> None:
        """Send bytes. A server that refused what it read so far may have closed its end: its reply is still there."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def is_cut_off(self, data: bytes, limit: int) -> bool:
        """Send data again and again until the server closes the connection; False if it took more than the limit.

        The buffers of both ends come on top, so the limit is one of the server's patience, not to the byte.
        """
        sent = 0
        try:
            while sent <= limit + _BUFFERS:
                self._socket.sendall(data)
                sent += len(data)
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    def receive(self, method: str = "GET") -> Reply:
        """Read one response, interim ones skipped; `method` is the request's."""
        response = HTTPResponse(self._socket, method=method)
        try:
            response.begin()
            return Reply(response.status, tuple(response.getheaders()), response.read())
        finally:
            response.close()

    def statuses(self, count: int) -> list[int]:
        """Read until so many responses have begun, which may come in one packet; returns their statuses."""
        seen = b""
        while len(_STATUS.findall(seen)) < count:
            more = self._socket.recv(4096)
            assert more, f"the server closed the connection after {seen!r}"
            seen += more
        return [int(status) for status in _STATUS.findall(seen)]

    def wait_for(self, text: bytes) -> None:
        """Read until `text` has come."""
        seen = b""
        while text not in seen:
            more = self._socket.recv(4096)
            assert more, f"the server closed the connection after {seen!r}"
            seen += more

    def exchange(self, message: Message) -> Reply:
        """Send a message and read its response."""
        self.send(encode(message))
        return self.receive(message.method)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def encode(message: Message) -> bytes:
    """Write a message as HTTP/1.1, its fields exactly as they are; a length is added unless it declares one."""
    return encode_head(message) + message.body


def encode_head(message: Message) -> bytes:
    """Write a message's request line and fields, and the empty line."""
    lines = [f"{message.method} {message.target} HTTP/1.1", *(f"{name}: {value}" for name, value in message.headers)]
    framing = {"content-length", "transfer-encoding"}
    if not any(name.lower() in framing for name, _ in message.headers):
        lines.append(f"content-length: {len(message.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def exchange(port: int, message: Message) -> Reply:
    """Send one message over a connection of its own."""
    with Wire(port) as wire:
        return wire.exchange(message)
