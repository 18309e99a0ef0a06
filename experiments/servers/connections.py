"""Connections to a server, and single questions over them."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final

from experiments.errors import ArmFailed
from experiments.servers.message import Message
from experiments.servers.route import WORKER

_TIMEOUT: Final = 60.0  # seconds
#: Seconds in which every worker must have accepted its share.
_PATIENCE: Final = 30.0
#: Seconds after a connection too many, in which the worker that had nothing to do becomes the first in line.
_PAUSE: Final = 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; header fields by lower-case name."""

    status: int
    fields: Mapping[str, str]
    body: bytes


def connect(port: int) -> socket.socket:
    """Open a connection to a server of this machine. Raises ArmFailed."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
    except OSError as error:
        raise ArmFailed(f"the server takes no connection: {error}") from error


def ask(connection: socket.socket, message: Message) -> Answer:
    """Send one request and wait for the answer. Raises ArmFailed: there is none."""
    try:
        connection.sendall(message.head + message.body)
        with HTTPResponse(connection) as response:
            response.begin()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())
    except (OSError, HTTPException) as error:
        raise ArmFailed(f"the server does not answer: {type(error).__name__}: {error}") from error


def spread(port: int, count: int, workers: int) -> list[socket.socket]:
    """Open `count` connections, as many to one worker as to the others.

    The system deals connections out as it likes: those that one worker has too many of are closed. Raises ArmFailed
    when a worker gets too few.
    """
    if workers == 1:
        return [connect(port) for _ in range(count)]
    share = count // workers
    held: dict[bytes, list[socket.socket]] = {}
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        connection = connect(port)
        mine = held.setdefault(ask(connection, Message(_WHO)).body, [])
        if len(mine) < share:
            mine.append(connection)
        else:
            connection.close()
            time.sleep(_PAUSE)
        if len(held) == workers and all(len(some) == share for some in held.values()):
            return [one for some in held.values() for one in some]
    for connection in (one for some in held.values() for one in some):
        connection.close()
    raise ArmFailed(f"of {workers} workers, {len(held)} take connections, unevenly")


_WHO: Final = f"GET {WORKER} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n".encode("ascii")
