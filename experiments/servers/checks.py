"""What every server must show before and after its time counts: it lets the good in, and keeps the bad out."""

import socket
from typing import Final

from experiments.errors import CheckFailed
from experiments.servers.requests import Client

_TIMEOUT: Final = 20.0
REFUSED: Final = 401


def check(client: Client, port: int) -> None:
    """Send good and bad requests. Raises CheckFailed that says what was let in, or kept out."""
    protection = client.protection
    good, spoilt, naked = client.messages(3)
    _expect(port, good, client.status, "refuses a good request")
    if protection.kind == "none":
        return
    if protection.kind != "bearer" or protection.once:
        _expect(port, good, REFUSED, "lets a replay in")
    if protection.kind == "bearer":
        start = spoilt.index(b"Bearer ") + 7
        end = spoilt.index(b"\r\n", start)
        forged = spoilt[: end - 20] + spoilt[end - 20 : end][::-1] + spoilt[end:]
        _expect(port, forged, REFUSED, "lets a forged token in")
        lost = naked.replace(b"authorization: ", b"x-nothing: ")
    else:
        head, _, body = spoilt.partition(b"\r\n\r\n")
        _expect(port, head + b"\r\n\r\n" + body[:-2] + b" }", REFUSED, "lets another body in")
        start = naked.index(b"signature: sig1=:") + 17
        other = b"AAAA" if naked[start + 8 : start + 12] != b"AAAA" else b"BBBB"
        _expect(port, naked[: start + 8] + other + naked[start + 12 :], REFUSED, "lets a forged signature in")
        elsewhere = naked.replace(b"host: 127.0.0.1:", b"host: localhost:", 1)
        _expect(port, elsewhere, REFUSED, "lets a request to another host in")
        lost = naked.replace(b"signature-input: ", b"x-nothing: ")
    _expect(port, lost, REFUSED, "lets a request without a signature in")
    _expect(port, naked, client.status, "refuses a good request after bad ones")


def _expect(port: int, message: bytes, status: int, otherwise: str) -> None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
            connection.sendall(message)
            answer = connection.recv(65_536)
        found = int(answer.split(b" ", 2)[1])
    except (OSError, IndexError, ValueError) as error:
        raise CheckFailed(f"the server does not answer: {type(error).__name__}") from error
    if found != status:
        raise CheckFailed(f"the server {otherwise}: {found} in the place of {status}")
