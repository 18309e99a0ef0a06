"""The parts of a request's authentication as subjects."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from experiments.errors import CheckFailed
from experiments.gate.doorway import HMAC, Doorway
from experiments.gate.doorways import leave
from experiments.gate.parts import REST, WHOLE, parts_of
from experiments.gate.prepared import SIGNED, Prepared, signed_for
from experiments.subject import Reading, process_clock
from secure_api.domain.session_lease import LEASE_REQUESTS

#: Seconds from now in which every nonce is forgotten.
LATER: Final = 100_000
#: Requests in a window of a session's arms.
SESSION_LOOPS: Final = LEASE_REQUESTS


class PartSubject:
    """One part of authenticating requests with a body of `size` bytes, by its name in `parts_of`."""

    def __init__(self, door: Doorway, part: str, algorithm: str, size: int) -> None:
        self._door = door
        #: Within a session, all windows must hold the same number of lease renewals, each a transaction.
        self.loops = SESSION_LOOPS if algorithm == HMAC and part in (REST, WHOLE) else None
        self._signed = signed_for(door, algorithm, size)
        self._part = parts_of(door, algorithm)[part]

    def check(self) -> None:
        """Put a good request and forged ones through the step that is timed. Raises CheckFailed."""
        self._door.run(self._check())

    def measure(self, loops: int) -> Reading:
        """Put `loops` requests through the step; signing them, and forgetting their nonces, is not timed."""
        return self._door.run(self._measure(loops))

    def close(self) -> None:
        """Leave the doorway; the last one closes it."""
        leave(self._door)

    async def _check(self) -> None:
        part = self._part
        some = await self._ready(SIGNED)
        with part.within():
            try:
                result = await self._through(some[0])
                expected = part.expected(some[0], result)
            except Exception as error:
                raise CheckFailed(f"a good request fails: {type(error).__name__}: {error}") from error
            if not expected:
                raise CheckFailed(f"a good request gave {result!r:.200}")
            for what, forged in part.forged(some).items():
                try:
                    await self._through(forged)
                except part.refusal:
                    continue
                except Exception as error:
                    raise CheckFailed(f"{what} is not refused, but {type(error).__name__}: {error}") from error
                raise CheckFailed(f"{what} is accepted")

    async def _through(self, one: Prepared) -> object:
        result = self._part.step(one)
        return await result if self._part.awaited else result

    async def _measure(self, loops: int) -> Reading:
        cpu = wall = 0.0
        for count in _batches(loops):
            some = await self._ready(count)
            with self._part.within():
                spent, passed = await self._timed(some)
            cpu, wall = cpu + spent, wall + passed
        return Reading(loops, cpu / loops * 1e6, wall / loops * 1e6)

    async def _timed(self, some: Sequence[Prepared]) -> tuple[float, float]:
        """Seconds, CPU and wall, that the step takes for these requests."""
        step = self._part.step
        if self._part.awaited:
            cpu, wall = process_clock()
            for one in some:
                await step(one)
        else:
            cpu, wall = process_clock()
            for one in some:
                step(one)
        cpu_after, wall_after = process_clock()
        return cpu_after - cpu, wall_after - wall

    async def _ready(self, count: int) -> Sequence[Prepared]:
        """Give requests that the step has not seen, as far as it can tell, after one more that is not timed.

        What is looked up once and then believed for some seconds (a key's status, a session's lease) is looked up then.
        """
        some = self._signed.fresh()[:count]
        if self._part.spends:
            await self._door.server.nonces.sweep(int(time.time()) + LATER)
        with self._part.within():
            await self._through(self._signed.warm)
        return some


def _batches(loops: int) -> Iterator[int]:
    while loops > 0:
        yield min(loops, SIGNED)
        loops -= SIGNED
