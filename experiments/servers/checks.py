"""What every server must show before and after its time counts: it lets the good in, and keeps the bad out."""

import json
import socket
from typing import Final

from crypto import KemAlgorithm
from experiments.errors import ArmFailed, CheckFailed
from experiments.servers import sessions
from experiments.servers.connections import Answer, ask, spread
from experiments.servers.forgeries import forgeries
from experiments.servers.requests import Client
from experiments.servers.route import answer

_REFUSED: Final = 401


def check(client: Client, workers: int) -> None:
    """Send good and bad requests, to every worker. Raises CheckFailed that says what was let in, or kept out."""
    try:
        connections = spread(client.port, workers, workers)
        try:
            _check(client, connections)
        finally:
            for connection in connections:
                connection.close()
    except ArmFailed as error:  # of the check's own requests
        raise CheckFailed(str(error)) from error


def _check(client: Client, connections: list[socket.socket]) -> None:
    """Ask over one connection to each worker."""
    protection, (first, *_) = client.protection, connections
    good, spoilt = client.messages(2)
    _admitted(client, ask(first, good), "refuses a good request")
    if protection.kind == "none":
        return
    if protection.kind != "bearer" or protection.once:
        for connection in connections:
            _refused(ask(connection, good), "lets a replay in")
    for what, forged in forgeries(protection, spoilt):
        for connection in connections:
            _refused(ask(connection, forged), f"lets {what} in")
    _admitted(client, ask(first, spoilt), "refuses a good request after bad ones")
    if protection.sealed:
        _check_seal(client, first)
    if protection.kind == "handshake":
        # By the product's client, which derives the keys, and sends a request within the session.
        sessions.open_session(f"http://{client.authority}", KemAlgorithm(protection.algorithm))


def _check_seal(client: Client, connection: socket.socket) -> None:
    message, seal = client.sealed()
    found = ask(connection, message)
    if found.status != client.status:
        raise CheckFailed(f"the server refuses a sealed request: {found.status}")
    _expected(client, seal.open(found))


def _admitted(client: Client, found: Answer, otherwise: str) -> None:
    if found.status != client.status:
        raise CheckFailed(f"the server {otherwise}: {found.status} in the place of {client.status}")
    if client.protection.kind == "handshake":
        return
    if client.protection.sealed:
        if b"count" in found.body:
            raise CheckFailed("the server answers a sealed request in the clear")
    else:
        _expected(client, found.body)


def _expected(client: Client, body: bytes) -> None:
    if json.loads(body) != answer(client.size):
        raise CheckFailed(f"the route answers {body[:80]!r}")


def _refused(found: Answer, otherwise: str) -> None:
    if found.status != _REFUSED:
        raise CheckFailed(f"the server {otherwise}: {found.status} in the place of {_REFUSED}")
