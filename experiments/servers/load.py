"""The load: one request in flight on each of several keep-alive connections, all bytes made beforehand."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from experiments.errors import ArmFailed
from experiments.event_loop import new_event_loop
from experiments.servers.message import Message

CONNECTIONS: Final = 16
_TIMEOUT: Final = 120  # seconds that all requests of a window may take
_LENGTH: Final = b"content-length: "


@dataclass(slots=True)
class Traffic:
    """What came back: seconds that each request took, and bytes of all answers."""

    latencies: list[float] = field(default_factory=list)
    received: int = 0


def drive(
    connections: Sequence[socket.socket],
    lead: Sequence[Message],
    messages: Sequence[Message],
    *,
    status: int,
    begin: Callable[[], None],
    end: Callable[[], None],
) -> Traffic:
    """Send the lead, which does not count, and then all messages; close the connections.

    `begin` and `end` are called at both ends of the window of `messages`. Raises ArmFailed: an answer had another
    status than `status`, a connection was lost, or all of it took too long.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_drive(connections, lead, messages, status, begin, end))


async def _drive(
    sockets: Sequence[socket.socket],
    lead: Sequence[Message],
    messages: Sequence[Message],
    status: int,
    begin: Callable[[], None],
    end: Callable[[], None],
) -> Traffic:
    loop = asyncio.get_running_loop()
    opened: list[_Connection] = []
    try:
        for one in sockets:
            one.setblocking(False)
            _, connection = await loop.create_connection(lambda: _Connection(status), sock=one)
            opened.append(connection)
        async with asyncio.timeout(_TIMEOUT):
            await _send(opened, lead)
            begin()
            traffic = await _send(opened, messages)
            end()
    except TimeoutError as error:
        raise ArmFailed(f"{len(messages)} requests took more than {_TIMEOUT} seconds") from error
    finally:
        for connection in opened:
            connection.close()
    await asyncio.sleep(0)  # the connections close
    return traffic


async def _send(opened: "Sequence[_Connection]", messages: Sequence[Message]) -> Traffic:
    run = _Run(messages, asyncio.get_running_loop().create_future())
    for connection in opened:
        connection.join(run)
    await run.done
    return run.traffic


class _Run:
    """Messages that are being sent, over whichever connection is free."""

    def __init__(self, messages: Sequence[Message], done: "asyncio.Future[None]") -> None:
        self.messages, self.done, self.traffic = iter(messages), done, Traffic()
        self._left = len(messages)
        if not messages:
            done.set_result(None)

    def answered(self, seconds: float, received: int) -> None:
        """Count an answer."""
        self.traffic.latencies.append(seconds)
        self.traffic.received += received
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        """End in failure, unless it has ended."""
        if not self.done.done():
            self.done.set_exception(ArmFailed(why))


class _Connection(asyncio.Protocol):
    """Sends the next message as soon as the last one was answered."""

    _transport: asyncio.Transport

    def __init__(self, status: int) -> None:
        self._run: _Run | None = None
        self._good = b"HTTP/1.1 %d " % status
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def join(self, run: _Run) -> None:
        """Take part in sending."""
        self._run = run
        self._next(run)

    def close(self) -> None:
        """Close it; nothing is expected any more."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        run = self._run
        if run is None:
            return  # nothing was asked
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        if not data.startswith(self._good):
            run.fail(f"the server answers {data[:80].partition(bytes([13]))[0].decode('latin-1')}")
            return
        start = data.find(_LENGTH, 0, end)
        if start < 0:
            run.fail("the server does not say how long an answer is")
            return
        length = end + 4 + int(data[start + len(_LENGTH) : data.find(b"\r", start)])
        if len(data) < length:
            self._buffer = data
            return
        self._buffer = b""
        run.answered(time.perf_counter() - self._began, length)
        self._next(run)

    def connection_lost(self, error: Exception | None) -> None:
        if self._run is not None:
            self._run.fail("the server closed a connection")

    def _next(self, run: _Run) -> None:
        message = next(run.messages, None)
        if message is not None:
            self._began = time.perf_counter()
            self._transport.writelines((message.head, message.body))
