"""Verifications in an event loop, many at a time: what the arms of `offloading` are."""

import asyncio
import os
import threading
from collections.abc import Sequence
from typing import Final

from crypto import InvalidSignature
from experiments.errors import CheckFailed
from experiments.event_loop import new_event_loop
from experiments.fixed_window import filling
from experiments.offload.arrivals import Arrivals
from experiments.offload.ways import Verify, Way
from experiments.subject import Reading, process_clock

AT_ONCE: Final = 16
#: Verifications that come before a window: then there are threads.
LEAD: Final = 4 * AT_ONCE


class Verifying:
    """Signatures that are verified in one way, 16 at a time; `loops` of them make a window of `window` seconds.

    `signed` holds pairs of signature and message; they take turns. `offloaded` says whether the way is meant to leave
    the thread of the loop. A window's readings hold `loop_delay_p50` and `loop_delay_p99`, microseconds that newcomers
    waited for the loop, and `rate`, verifications in a second.
    """

    loops: int

    def __init__(
        self, way: Way, verify: Verify, signed: Sequence[tuple[bytes, bytes]], *, offloaded: bool, window: float
    ) -> None:
        """Find out how many verifications fill a window."""
        release_cores()
        self._way, self._verify, self._signed, self._offloaded = way, verify, signed, offloaded
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        self._arrivals = Arrivals()
        self.loops = filling(self.measure, window, LEAD)

    def check(self) -> None:
        """Show that valid signatures pass, forged ones do not, all in the right thread. Raises CheckFailed."""
        self._runner.run(self._check())

    def measure(self, loops: int) -> Reading:
        """Verify `loops` signatures, and note how long newcomers wait meanwhile."""
        cpu, wall, delays = self._runner.run(self._window(loops))
        micro = 1e6 / loops
        delays.sort()
        extra = {
            "loop_delay_p50": delays[len(delays) // 2],
            "loop_delay_p99": delays[int(len(delays) * 0.99)],
            "rate": loops / wall,
        }
        return Reading(loops, cpu * micro, wall * micro, extra)

    def close(self) -> None:
        """End the threads of the loop, and the process that arrives at it."""
        self._runner.close()
        self._arrivals.close()

    async def _window(self, loops: int) -> tuple[float, float, list[float]]:
        await self._verify_all(LEAD)
        self._arrivals.begin()
        cpu, wall = process_clock()
        await self._verify_all(loops)
        cpu_after, wall_after = process_clock()
        return cpu_after - cpu, wall_after - wall, await self._arrivals.end()

    async def _verify_all(self, count: int) -> None:
        way, verify, signed = self._way, self._verify, self._signed

        async def verify_each(first: int) -> None:
            for number in range(first, count, AT_ONCE):
                signature, message = signed[number % len(signed)]
                await way(verify, signature, message)

        await asyncio.gather(*map(verify_each, range(AT_ONCE)))

    async def _check(self) -> None:
        threads: list[int] = []

        def verify_here(signature: bytes, message: bytes) -> None:
            threads.append(threading.get_ident())
            self._verify(signature, message)

        async def passes(signature: bytes, message: bytes) -> bool:
            try:
                await self._way(verify_here, signature, message)
            except InvalidSignature:
                return False
            return True

        for signature, message in self._signed:
            if not await passes(signature, message):
                raise CheckFailed("it refuses a valid signature")
        (signature, message), *_ = self._signed
        forged = bytes([signature[0] ^ 1]) + signature[1:]
        tries = [passes(forged if number == 5 else signature, message) for number in range(AT_ONCE)]
        if [number for number, passed in enumerate(await asyncio.gather(*tries)) if not passed] != [5]:
            raise CheckFailed(f"of {AT_ONCE} signatures at once it does not refuse the forged one, and no other")
        if await passes(signature, message + b"!"):
            raise CheckFailed("it takes the signature of another message")
        if any((thread != threading.get_ident()) is not self._offloaded for thread in threads):
            meant = "threads of their own" if self._offloaded else "the thread of the loop"
            raise CheckFailed(f"not all signatures are verified in {meant}")


def release_cores() -> None:
    """Let this thread, and those that it starts, run on every core again."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
