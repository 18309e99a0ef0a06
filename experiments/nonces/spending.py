"""Spending nonces in one place: what the arms of `replay-store` are."""

import asyncio
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from random import Random
from typing import Final

from crypto import encode_base64url
from experiments.errors import CheckFailed
from experiments.event_loop import new_event_loop
from experiments.fixed_window import filling
from experiments.instances.cpu_time import cpu_times, spent
from experiments.nonces.place import CLOCK_SKEW, HEAD_START, Place
from experiments.subject import Reading, process_clock
from secure_api.data.nonces import NonceRefused, NonceStore, NonceUse

#: Requests that send the same nonce at the same moment, in the check.
RACERS: Final = 16
#: Seconds for which a message is good, and the skew of the clocks: what the product's client and server take.
LIFETIME: Final = 60 + CLOCK_SKEW
#: Nonces that are spent before the growth of the place is watched, for each that is spent at once.
WARM_UP: Final = 4
#: Seconds for which nonces are good that no sweep of a run shall reach.
LONG_LIFETIME: Final = 86_400
#: A window is led in by this share of its nonces, at least one, which do not count.
LEAD: Final = 8
#: Nonces of the shortest window, for each that is spent at once.
LEAST: Final = 2
NONCE_BYTES: Final = 16
STRANGER: Final = "A" * 43


class Spending:
    """A store in a place that holds `filled` nonces from the start; nonces are spent in it, `concurrency` at a time.

    `loops` of them fill a window of `window` seconds.
    A window's readings hold `service_cpu`, microseconds of CPU time per nonce of the service behind the store (0 when
    there is none), `total_cpu`, its sum with `cpu`, and, when they are spent one after the other, `stored_bytes`: what
    the place grew by per nonce while it was filled.
    """

    loops: int
    _store: NonceStore
    _place: Place

    def __init__(
        self,
        place: AbstractAsyncContextManager[Place],
        *,
        concurrency: int,
        filled: int,
        window: float,
        random: Random,
    ) -> None:
        """Make the place ready, fill it, and find out how many nonces make a window. Raises Unavailable."""
        self._concurrency, self._random = concurrency, random
        self._held = AsyncExitStack()
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        try:
            self._stored_bytes = self._runner.run(self._begin(place, filled))
            self.loops = filling(self.measure, window, LEAST * concurrency)
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Show that each nonce is spent once, also by racers and after the store is opened anew. Raises CheckFailed."""
        self._runner.run(self._check())

    def measure(self, loops: int) -> Reading:
        """Spend `loops` nonces that were never spent, made before the clocks are read."""
        lead, uses = self._fresh(max(loops // LEAD, 1)), self._fresh(loops)
        # The lead brings the caches back; and the store then knows for the next seconds that the key is active.
        self._runner.run(self._spend(lead, self._concurrency))
        service = self._place.service
        before = {} if service is None else cpu_times(service)
        cpu, wall = self._runner.run(self._spend(uses, self._concurrency))
        served = spent(before, cpu_times(service, before)) if service is not None else 0.0
        if self._place.swept:
            self._runner.run(self._store.sweep(int(time.time()) + LIFETIME + 1))
        micro = 1e6 / loops
        extra = {"service_cpu": served * micro, "total_cpu": (cpu + served) * micro}
        if self._concurrency == 1:  # several at once need buffers, which would count as theirs
            extra["stored_bytes"] = self._stored_bytes
        return Reading(loops, cpu * micro, wall * micro, extra)

    def close(self) -> None:
        """Close the store, end its service."""
        try:
            self._runner.run(self._held.aclose())
        finally:
            self._runner.close()

    async def _begin(self, place: AbstractAsyncContextManager[Place], filled: int) -> float:
        self._place = await self._held.enter_async_context(place)
        self._store = await self._place.opened()
        self._held.push_async_callback(self._close_store)
        await self._fill(WARM_UP * self._concurrency)  # connections are made, and buffers
        return await self._growth(lambda: self._fill(filled)) / filled

    async def _growth(self, fill: Callable[[], Awaitable[None]]) -> int:
        """Tell by how many bytes the place grows."""
        if self._place.size is None:
            tracemalloc.start()
            try:
                await fill()
                return tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
        before = await self._place.size()
        await fill()
        return await self._place.size() - before

    async def _fill(self, count: int) -> None:
        """Spend nonces that stay: a sweep after a window leaves them alone."""
        await self._spend(self._fresh(count, LONG_LIFETIME if self._place.swept else LIFETIME), self._concurrency)

    async def _spend(self, uses: Sequence[tuple[NonceUse]], concurrency: int) -> tuple[float, float]:
        """Spend nonces, so many at a time; returns CPU and wall time in seconds."""
        store, now = self._store, int(time.time())

        async def spend_each(share: Sequence[tuple[NonceUse]]) -> None:
            for use in share:
                await store.spend(use, now)

        shares = [uses[first::concurrency] for first in range(min(concurrency, len(uses)))]
        cpu, wall = process_clock()
        if len(shares) == 1:
            await spend_each(shares[0])
        else:
            await asyncio.gather(*map(spend_each, shares))
        cpu_after, wall_after = process_clock()
        return cpu_after - cpu, wall_after - wall

    async def _check(self) -> None:
        now = int(time.time())
        (first,), (raced,), (fresh,) = self._fresh(3)
        if not await self._spends(first, now):
            raise CheckFailed("it refuses a nonce that was never spent")
        if await self._spends(first, now):
            raise CheckFailed("it lets a nonce be spent twice")
        if (won := (await asyncio.gather(*(self._spends(raced, now) for _ in range(RACERS)))).count(True)) != 1:
            raise CheckFailed(f"of {RACERS} requests that spend one nonce at once {won} win, not 1")
        if await self._spends(NonceUse(STRANGER, fresh.nonce, now, now + LIFETIME), now):
            raise CheckFailed("it lets a key spend that nobody has enrolled")
        await self._check_restart(first, now)
        if not await self._spends(fresh, now):
            raise CheckFailed("opened anew, it refuses a nonce that was never spent")

    async def _check_restart(self, spent_before: NonceUse, now: int) -> None:
        """Show that nothing is spent twice after the store was opened anew, and whether that is by remembering it."""
        await self._reopen(now)
        if await self._spends(spent_before, now):
            raise CheckFailed("opened anew, it lets a nonce be spent that was spent before")
        later = now + CLOCK_SKEW + 1  # younger than what a store remembers that begins now
        again = NonceUse(spent_before.keyid, spent_before.nonce, later, later + LIFETIME)
        remembers = not await self._spends(again, later)
        if remembers != self._place.survives:
            said, seen = ("remembers", "forgets") if self._place.survives else ("forgets", "remembers")
            raise CheckFailed(f"opened anew, it {seen} what was spent, and is described as one that {said} it")
        await self._reopen(now - HEAD_START)

    async def _reopen(self, at: int) -> None:
        await self._close_store()
        self._store = await self._place.opened(at)

    async def _close_store(self) -> None:
        await self._store.close()

    async def _spends(self, use: NonceUse, now: int) -> bool:
        try:
            await self._store.spend((use,), now)
        except NonceRefused:
            return False
        return True

    def _fresh(self, count: int, lifetime: int = LIFETIME) -> list[tuple[NonceUse]]:
        """Make nonces that were never spent, each of a request of its own."""
        keyid, created = self._place.keyid, int(time.time())
        return [
            (NonceUse(keyid, encode_base64url(self._random.randbytes(NONCE_BYTES)), created, created + lifetime),)
            for _ in range(count)
        ]
