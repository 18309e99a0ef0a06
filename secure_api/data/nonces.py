"""Spending nonces: the replay protection that every worker and every restart shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

#: Seconds that a spent nonce outlives its message: more than a spender, having found the message still good, may wait
#: for the store, and more than the clocks of two servers on one database may differ.
NONCE_AFTERLIFE: Final = 60


@dataclass(frozen=True, slots=True)
class NonceUse:
    """One nonce to spend: `created` and `expires` in POSIX seconds, clock skew included in the latter.

    `session` is true when `keyid` names a session, false when it names a client's key.
    """

    keyid: str
    nonce: str
    created: int
    expires: int
    session: bool = False


class NonceRefused(Exception):
    """A nonce was spent before, its key or session is not active, or it is too old to be told: refuse the request."""


class NonceStore(Protocol):
    """Where nonces are spent. Every store also asks whether the key or session is still active.

    So a revocation takes effect on the next request of every worker. A session is active while its row says so and
    its `expires` is not over at the time of spending.
    """

    async def open(self, now: int) -> None:
        """Make ready, in the event loop that will use the store; `now` in POSIX seconds.

        Raises:
            DatabaseUnavailable: the store cannot be reached.
        """

    async def ping(self) -> None:
        """Ask whatever is not the database itself for a sign of life.

        Raises:
            DatabaseUnavailable: it gave none.
        """

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Spend all the nonces of one request, or none; `now` in POSIX seconds.

        Raises:
            NonceRefused: one was spent before, or its key or session is no longer active.
            DatabaseUnavailable: the store cannot be reached.
        """

    async def forget(self, keyids: Sequence[str], now: int) -> None:
        """Drop what the store itself remembers of keys or sessions that are about to end, or just ended.

        `now` in POSIX seconds. Called before the transaction that ends them commits, and again after.

        Raises:
            DatabaseUnavailable: the store cannot be reached; the transaction must not commit.
        """

    async def sweep(self, now: int) -> int:
        """Forget nonces that expired before `now` (POSIX seconds); returns how many there were."""

    async def close(self) -> None:
        """Release what the store holds."""
