"""The HTTP protocol on httptools: what leads nowhere ends, what is a request passes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from secure_api.api.http_protocol import MAX_SILENT_BYTES

pytest.importorskip("httptools", reason="the extra secure-api[speed] is not installed")
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with the number of bytes of the body."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    text = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server with our protocol."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        count, http="secure_api.api.http_protocol:HttpProtocol", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def exchange(port: int, pieces: Iterator[bytes]) -> bytes:
    """Send pieces until the server has enough; returns all that it answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def head(*fields: bytes) -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: testserver", *fields, b"", b""])


def endless(beginning: bytes, piece: bytes) -> Iterator[bytes]:
    """Bytes that lead nowhere: twice as many as are let through."""
    yield beginning
    for _ in range(2 * MAX_SILENT_BYTES // len(piece)):
        yield piece


async def test_requests_on_one_connection_are_served(port: int) -> None:
    size = 3 * MAX_SILENT_BYTES
    chunk = b"%x\r\n" % 100_000 + b"x" * 100_000 + b"\r\n"
    chunked = head(b"Transfer-Encoding: chunked", b"Connection: close") + chunk * 20 + b"0\r\n\r\n"
    answer = await exchange(
        port,
        iter([head(b"Content-Length: 3") + b"abc", head(b"Content-Length: %d" % size) + b"x" * size, chunked]),
    )
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    for counted in (b"\r\n\r\n3", b"\r\n\r\n%d" % size, b"\r\n\r\n2000000"):
        assert counted in answer


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"POST / HTTP/1.1\r\nHost: testserver\r\n", b"X-Field: " + b"x" * 1_000 + b"\r\n"),
        (b"POST / HTTP/1.1\r\nX-Field: ", b"x" * 1_000),
        (b"POST /", b"x" * 1_000),
        (head(b"Transfer-Encoding: chunked") + b"5;", b"x" * 1_000),
        (head(b"Transfer-Encoding: chunked") + b"0\r\n", b"X-Trailer: " + b"x" * 1_000 + b"\r\n"),
    ],
    ids=["fields", "one field", "target", "chunk extension", "trailers"],
)
async def test_bytes_that_lead_nowhere_end_the_connection(port: int, beginning: bytes, piece: bytes) -> None:
    answer = await exchange(port, endless(beginning, piece))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert b"200 OK" not in answer
    good = await exchange(port, iter([head(b"Content-Length: 3", b"Connection: close") + b"abc"]))
    assert good.endswith(b"\r\n\r\n3"), "others are served"
