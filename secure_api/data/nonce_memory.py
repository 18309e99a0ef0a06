"""Nonces in the memory of the process: for one worker, and for trying things out.

Nothing is shared and nothing survives: a second worker would let a replay through, so `serve --workers 2` refuses.
After a start, requests made before it, by the latest clock that a client may have, are refused.

Whether a key or session is active is asked of the database and remembered for `TRUST` seconds, until `forget` says that
it ends.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from secure_api.data.active_status import active_until
from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonces import NonceRefused, NonceUse

TRUST: Final = 5  # seconds for which a key or session that was found active is not looked up again
BARRIER: Final = 120  # seconds for which one that was told to end is looked up each time: the commit is on its way
ATTEMPTS: Final = 8  # times that one spend may look anew because keys ended meanwhile

log = structlog.get_logger("secure_api.data")


class MemoryNonceStore:
    """Nonces of this process alone; keys and sessions are looked up in `database`.

    `clock_skew` is how far (seconds) a client's clock may be ahead. `pause` waits, and is there for tests.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock_skew: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._guard = clock_skew + 1  # both times are cut to whole seconds
        self._pause = pause
        self._since = 0
        self._spent: set[tuple[str, str]] = set()
        self._ends: list[tuple[int, tuple[str, str]]] = []
        self._active: dict[tuple[str, bool], int] = {}  # until when it is trusted to be
        self._ending: dict[str, int] = {}  # until when it is looked up each time
        self._forgotten = 0  # how often `forget` was called

    async def open(self, now: int) -> None:
        """Wait until no request can be older than the memory; `now` in POSIX seconds."""
        self._since = now + self._guard
        log.info("waiting until no request can be older than the memory for nonces", seconds=self._guard)
        await self._pause(self._guard)

    async def ping(self) -> None:
        """Do nothing: the memory is there."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Spend all the nonces of one request, or none; `now` in POSIX seconds.

        Raises:
            NonceRefused: one was spent before, its key or session is not active, or the request is older than what is
                remembered.
            DatabaseUnavailable: the database is asked and cannot be reached.
        """
        nonces = {(use.keyid, use.nonce) for use in uses}
        if len(nonces) < len(uses) or any(use.created < self._since for use in uses):
            raise NonceRefused
        if any(self._active.get((use.keyid, use.session), 0) < now for use in uses):
            await self._look_up(uses, now)
        # From here on nobody else runs.
        if not self._spent.isdisjoint(nonces):
            raise NonceRefused
        self._spent |= nonces
        for use in uses:
            heapq.heappush(self._ends, (use.expires, (use.keyid, use.nonce)))

    async def forget(self, keyids: Sequence[str], now: int) -> None:
        """Trust nothing that is remembered of keys or sessions that are about to end, or just ended."""
        self._forgotten += 1
        for keyid in keyids:
            self._ending[keyid] = now + BARRIER
            for session in (False, True):
                self._active.pop((keyid, session), None)

    async def sweep(self, now: int) -> int:
        """Forget nonces that expired before `now` (POSIX seconds); returns how many there were."""
        before = len(self._spent)
        while self._ends and self._ends[0][0] < now:
            self._spent.discard(heapq.heappop(self._ends)[1])
        self._active = {name: until for name, until in self._active.items() if until >= now}
        self._ending = {keyid: until for keyid, until in self._ending.items() if until >= now}
        return before - len(self._spent)

    async def close(self) -> None:
        """Forget everything."""
        self._spent.clear()
        self._ends.clear()

    async def _look_up(self, uses: Sequence[NonceUse], now: int) -> None:
        """Ask the database whether all are active, again when something ended meanwhile."""
        for _ in range(ATTEMPTS):
            forgotten = self._forgotten
            ends = await active_until(self._database, uses, now)
            if forgotten != self._forgotten:
                continue
            for use, end in zip(uses, ends, strict=True):
                if end is None:
                    raise NonceRefused
                if self._ending.get(use.keyid, 0) < now:
                    self._active[use.keyid, use.session] = min(end, now + TRUST)
            return
        raise DatabaseUnavailable("The store of nonces changes too fast at the moment.")
