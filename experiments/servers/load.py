"""The load generator: keep-alive connections, one request in flight on each, all bytes made beforehand."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from experiments.errors import ArmFailed
from experiments.event_loop import new_event_loop

CONNECTIONS: Final = 16
_TIMEOUT: Final = 120  # seconds that all requests of a window may take


@dataclass(slots=True)
class Traffic:
    """What came back: seconds that each request took, and bytes of all answers."""

    latencies: list[float] = field(default_factory=list)
    received: int = 0


def drive(
    port: int, messages: Sequence[bytes], *, status: int = 200, begin: Callable[[], None], end: Callable[[], None]
) -> Traffic:
    """Send all messages; `begin` and `end` are called at both ends of the timed window, connections being open.

    Raises ArmFailed: an answer had another status, or a connection was lost.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        traffic = runner.run(_drive(port, messages, status, begin, end))
    if len(traffic.latencies) != len(messages):
        raise ArmFailed(f"{len(traffic.latencies)} answers to {len(messages)} requests")
    return traffic


async def _drive(
    port: int, messages: Sequence[bytes], status: int, begin: Callable[[], None], end: Callable[[], None]
) -> Traffic:
    loop = asyncio.get_running_loop()
    traffic, feed, opened = Traffic(), iter(messages), []
    for _ in range(min(CONNECTIONS, len(messages))):
        one = _Connection(feed, traffic, status, loop.create_future())
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
        opened.append(one)
    await asyncio.sleep(0.02)  # the server has accepted them all
    gc.collect()
    gc.disable()
    try:
        begin()
        for one in opened:
            one.next()
        async with asyncio.timeout(_TIMEOUT):
            await asyncio.gather(*[one.done for one in opened])
        end()
    except TimeoutError as error:
        raise ArmFailed(f"the server took more than {_TIMEOUT} seconds for {len(messages)} requests") from error
    finally:
        gc.enable()
        for one in opened:
            one.close()
    await asyncio.sleep(0)
    return traffic


class _Connection(asyncio.Protocol):
    """Sends the next message as soon as the last one was answered."""

    def __init__(self, messages: Iterator[bytes], traffic: Traffic, status: int, done: "asyncio.Future[None]") -> None:
        self._messages, self._traffic, self.done = messages, traffic, done
        self._good = b"HTTP/1.1 %d " % status
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def next(self) -> None:
        """Send the next message, or be done."""
        message = next(self._messages, None)
        if message is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(message)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        if not data.startswith(self._good):
            first_line = data.partition(b"\r")[0].decode("latin-1")
            self._fail(f"the server answered {first_line[:80]}")
            return
        head = data[:end].lower()
        start = head.find(b"content-length: ") + 16
        length = end + 4 + int(head[start:].partition(b"\r")[0])
        if len(data) < length:
            self._buffer = data
            return
        self._buffer = b""
        self._traffic.latencies.append(time.perf_counter() - self._sent)
        self._traffic.received += length
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("the server closed a connection")

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()
        if self.done.done() and not self.done.cancelled():
            self.done.exception()  # told already, or of no interest any more

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(ArmFailed(why))
