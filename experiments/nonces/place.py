"""A place where nonces are spent, ready for use."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.data.database import Database
from secure_api.data.nonces import NonceStore
from secure_api.services.installation import initialize

#: Seconds before now at which stores are opened, so that nobody has to wait until their memory reaches back far enough.
HEAD_START: Final = 100
#: Seconds that a client's clock may be ahead: what the product allows when it is not told otherwise.
CLOCK_SKEW: Final = 5


async def no_wait(_seconds: float) -> None:
    """Take the place of the pause until a store's memory reaches back far enough: stores have a head start."""
    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Place:
    """One place: what makes a store in it, and what tells how full it is.

    `keyid` is an active key. `size` gives bytes, on disk or in the memory of a service; None: the store keeps nonces in
    this process. `survives` tells whether a store that is opened anew still knows what was spent. A `swept` place is
    swept after each window, since it would fill the memory of this process. `service` is the root of the processes that
    work for the store elsewhere.
    """

    make: Callable[[], NonceStore]
    keyid: str
    survives: bool = True
    size: Callable[[], Awaitable[int]] | None = None
    swept: bool = False
    service: int | None = None

    async def opened(self, at: int | None = None) -> NonceStore:
        """Open one more store in this place; `at` in POSIX seconds, `HEAD_START` ago unless told otherwise."""
        store = self.make()
        await store.open(int(time.time()) - HEAD_START if at is None else at)
        return store


@asynccontextmanager
async def installed(url: str) -> AsyncIterator[tuple[Database, str]]:
    """Open a database, initialize it, and give it with the keyid of its first client."""
    database = Database(url)
    try:
        admin, server = (PrivateKey.generate(SignatureAlgorithm.ED25519) for _ in range(2))
        await initialize(database, operator="operator", admin_key=admin.public_key, server_key=server)
        yield database, admin.public_key.keyid
    finally:
        await database.close()


def sqlite_url(folder: Path) -> str:
    """Return the URL of an SQLite database in a folder."""
    return f"sqlite+aiosqlite:///{folder / 'secure-api.db'}"
