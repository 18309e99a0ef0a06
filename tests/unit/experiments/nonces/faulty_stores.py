"""Stores of nonces with one fault each, for checks to catch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from experiments.nonces.place import Place
from secure_api.data.nonces import NonceRefused, NonceUse

KEYID = "K" * 43


class DictStore:
    """Right in every respect, as long as all stores of a place share one `spent`."""

    def __init__(self, spent: set[str]) -> None:
        self.spent = spent
        self.since = 0

    async def open(self, now: int) -> None:
        self.since = now

    async def ping(self) -> None: ...

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        for use in uses:
            if use.keyid != KEYID or use.nonce in self.spent:
                raise NonceRefused
            self.spent.add(use.nonce)

    async def forget(self, keyids: Sequence[str], now: int) -> None: ...

    async def sweep(self, now: int) -> int:
        return 0

    async def close(self) -> None: ...


class AlwaysYes(DictStore):
    """Keeps nothing."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None: ...


class AlwaysNo(DictStore):
    """Believes nobody."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        raise NonceRefused


class Racy(DictStore):
    """Looks first and writes later."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        if any(use.nonce in self.spent or use.keyid != KEYID for use in uses):
            raise NonceRefused
        await asyncio.sleep(0)
        self.spent |= {use.nonce for use in uses}


class Trusting(DictStore):
    """Asks nobody whether the key is active."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        await super().spend([NonceUse(KEYID, use.nonce, use.created, use.expires) for use in uses], now)


class Forgetful(DictStore):
    """Begins anew each time, and takes whatever is old."""

    def __init__(self, _spent: set[str]) -> None:
        super().__init__(set())


class Careful(Forgetful):
    """Begins anew each time, and refuses what is older, as the store in memory does."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        if any(use.created <= self.since for use in uses):
            raise NonceRefused
        await super().spend(uses, now)


class Sulking(DictStore):
    """Refuses everything once it was opened anew."""

    opened = 0

    async def open(self, now: int) -> None:
        type(self).opened += 1
        self.since = now

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        if type(self).opened > 1:
            raise NonceRefused
        await super().spend(uses, now)


@asynccontextmanager
async def place_of(kind: Callable[[set[str]], DictStore], *, survives: bool = True) -> AsyncIterator[Place]:
    """A place with such stores, which says that they remember across a restart, or that they do not."""
    spent: set[str] = set()

    async def size() -> int:
        return 10 * len(spent)

    yield Place(lambda: kind(spent), KEYID, survives=survives, size=size)
