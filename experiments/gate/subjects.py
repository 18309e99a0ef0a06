"""The parts of a request's authentication, and what is left of the whole beside them, as subjects."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from experiments.errors import CheckFailed
from experiments.gate.doorway import Doorway
from experiments.gate.doorways import leave
from experiments.gate.parts import PARTS, WHOLE, Part, parts_of
from experiments.gate.prepared import SIGNED, Prepared, Signed
from experiments.subject import Reading, process_clock

#: Seconds from now in which every nonce is forgotten.
LATER: Final = 100_000
#: Requests in a window of what is left beside the parts.
REST_LOOPS: Final = 2 * SIGNED


class PartSubject:
    """One part (a name of `PARTS`, or `WHOLE`) of authenticating requests with a body of `size` bytes."""

    def __init__(self, door: Doorway, part: str, algorithm: str, size: int) -> None:
        self._door = door
        self._signed = Signed(door, algorithm, size)
        self._parts = parts_of(door, algorithm)
        self._part = self._parts[part]

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
        await self._check_part(self._part)

    async def _check_part(self, part: Part) -> None:
        some = await self._ready(part, SIGNED)
        try:
            result = await _through(part, some[0])
            expected = part.expected(some[0], result)
        except Exception as error:
            raise CheckFailed(f"a good request fails: {type(error).__name__}: {error}") from error
        if not expected:
            raise CheckFailed(f"a good request gave {result!r:.200}")
        for what, forged in part.forged(some).items():
            try:
                await _through(part, forged)
            except part.refusal:
                continue
            except Exception as error:
                raise CheckFailed(f"{what} is not refused, but {type(error).__name__}: {error}") from error
            raise CheckFailed(f"{what} is accepted")

    async def _measure(self, loops: int) -> Reading:
        cpu = wall = 0.0
        for count in _batches(loops):
            spent, passed = await self._timed(self._part, count)
            cpu, wall = cpu + spent, wall + passed
        return Reading(loops, cpu / loops * 1e6, wall / loops * 1e6)

    async def _timed(self, part: Part, count: int) -> tuple[float, float]:
        """Seconds, CPU and wall, for `count` requests, `SIGNED` at most."""
        some = await self._ready(part, count)
        step = part.step
        if part.awaited:
            cpu, wall = process_clock()
            for one in some:
                await step(one)
        else:
            cpu, wall = process_clock()
            for one in some:
                step(one)
        cpu_after, wall_after = process_clock()
        return cpu_after - cpu, wall_after - wall

    async def _ready(self, part: Part, count: int) -> Sequence[Prepared]:
        """Give requests that the part has not seen, as far as it can tell."""
        some = self._signed.fresh()[:count]
        if part.spends:
            nonces = self._door.server.nonces
            await nonces.sweep(int(time.time()) + LATER)
            # The store looks a key up once and then believes it for some seconds: that once is not timed.
            warm = self._signed.warm
            await nonces.spend((warm.use,), int(time.time()))
        return some


class RestSubject(PartSubject):
    """What authenticating a request takes beside its parts: all of it together, less each of the parts, in one window.

    Coroutines, the policy, the caller, reading the body, the application: what has no step of its own. A difference
    that noise made negative counts as 0. A window has `loops` requests: it takes many times as long as what it shows.
    """

    def __init__(self, door: Doorway, algorithm: str, size: int) -> None:
        super().__init__(door, WHOLE, algorithm, size)
        self.loops = REST_LOOPS

    async def _check(self) -> None:
        for part in self._parts.values():
            await self._check_part(part)

    async def _measure(self, loops: int) -> Reading:
        cpu = wall = 0.0
        for count in _batches(loops):
            whole = await self._timed(self._parts[WHOLE], count)
            parts = [await self._timed(self._parts[name], count) for name in PARTS]
            cpu += whole[0] - sum(spent for spent, _ in parts)
            wall += whole[1] - sum(passed for _, passed in parts)
        return Reading(loops, max(0.0, cpu) / loops * 1e6, max(0.0, wall) / loops * 1e6)


async def _through(part: Part, one: Prepared) -> object:
    result = part.step(one)
    return await result if part.awaited else result


def _batches(loops: int) -> Iterator[int]:
    while loops > 0:
        yield min(loops, SIGNED)
        loops -= SIGNED
