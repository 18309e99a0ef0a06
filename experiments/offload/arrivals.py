"""How long an event loop leaves a newcomer waiting.

Another process sends the time over a socket every 1 to 3 ms; the loop notes how late it comes to read it.
A timer of the loop itself would not do: those count in milliseconds.
"""

import asyncio
import random
import select
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final

from experiments.errors import ArmFailed

SHORTEST: Final = 0.001  # seconds between two arrivals
LONGEST: Final = 0.003
_MESSAGE: Final = struct.Struct("=q")  # nanoseconds of the monotonic clock, which all processes share; 0: the last one
_ENDED: Final = "the process that arrives at the loop has ended"
#: Seconds within which the process must have begun and ended its visits, and later must have gone.
_PATIENCE: Final = 60.0
_MOST: Final = _MESSAGE.size * 1024


class Arrivals:
    """A process that arrives at a loop again and again, while it is told to."""

    def __init__(self) -> None:
        """Start the process; nothing arrives yet."""
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._delays: list[float] = []
        self._last: asyncio.Future[None] | None = None
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def begin(self) -> None:
        """Let the process arrive, the first time at once; called in the loop that it arrives at.

        Raises:
            ArmFailed: the process has ended.
        """
        self._delays = []
        loop = asyncio.get_running_loop()
        self._last = loop.create_future()
        self._tell(b"+")
        loop.add_reader(self._socket, self._receive)

    async def end(self) -> list[float]:
        """Let it arrive no longer; returns how many microseconds each arrival waited, at least one.

        Raises:
            ArmFailed: the process has ended, or does not answer.
        """
        assert self._last is not None  # noqa: S101 - it was begun
        try:
            self._tell(b"-")
            async with asyncio.timeout(_PATIENCE):
                await self._last
        except TimeoutError:
            raise ArmFailed("the process that arrives at the loop does not answer") from None
        finally:
            asyncio.get_running_loop().remove_reader(self._socket)
        return self._delays

    def close(self) -> None:
        """End the process, by force when it does not go by itself."""
        self._socket.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, what: bytes) -> None:
        try:
            self._socket.send(what)
        except OSError as error:
            raise ArmFailed(_ENDED) from error

    def _receive(self) -> None:
        assert self._last is not None  # noqa: S101 - it was begun
        received, now = self._socket.recv(_MOST), time.monotonic_ns()
        for (sent,) in _MESSAGE.iter_unpack(received):
            if sent:
                self._delays.append((now - sent) / 1000)
        if not received and not self._last.done():
            self._last.set_exception(ArmFailed(_ENDED))
        elif received.endswith(_MESSAGE.pack(0)):
            self._last.set_result(None)


def arrive(there: socket.socket, pauses: random.Random) -> None:
    """Send the time again and again, between two bytes that begin and end it; return when nobody is there any more."""
    with suppress(ConnectionError):
        while there.recv(1):
            there.send(_MESSAGE.pack(time.monotonic_ns()))
            while not select.select([there], [], [], pauses.uniform(SHORTEST, LONGEST))[0]:
                there.send(_MESSAGE.pack(time.monotonic_ns()))
            if not there.recv(1):
                return
            there.send(_MESSAGE.pack(0))


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as given:
        arrive(given, random.Random(1))  # noqa: S311 - no secret
