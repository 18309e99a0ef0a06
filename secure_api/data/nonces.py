"""Spending nonces: the replay protection that every worker and every restart shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

#: Seconds that a spent nonce outlives its message: more than a spender, having found the message still good, may wait
#: for the store, and more than the clocks of two servers on one database may differ.
NONCE_AFTERLIFE: Final = 60


@dataclass(frozen=True, slots=True)
class NonceUse:
    """One nonce to spend: `created` and `expires` in POSIX seconds, clock skew included in the latter."""

    keyid: str
    nonce: str
    created: int
    expires: int


class NonceRefused(Exception):
    """A nonce was spent before, its key is not active, or it is too old to be told. The request must be refused."""


class NonceStore(Protocol):
    """Where nonces are spent. Every store also asks whether the key is still active: revocation is immediate."""

    async def open(self, now: int) -> None:
        """Make ready, in the event loop that will use the store; `now` in POSIX seconds.

        Raises:
            DatabaseUnavailable: the store cannot be reached.
        """

    async def spend(self, uses: Sequence[NonceUse]) -> None:
        """Spend all the nonces of one request, or none.

        Raises:
            NonceRefused: one was spent before, or its key is no longer active.
            DatabaseUnavailable: the store cannot be reached.
        """

    async def sweep(self, now: int) -> int:
        """Forget nonces that expired before `now` (POSIX seconds); returns how many there were."""

    async def close(self) -> None:
        """Release what the store holds."""
