"""The sessions that one worker serves: their keys in memory, and its leases on their limits.

Nothing kept here can go stale: whether a session is still active is asked of the database, together with spending the
nonce. Finding a session for the first time costs a query, a lease one transaction; all other requests cost neither.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from crypto import CryptoError, SessionKeys, StorageKey
from secure_api.data.database import Database
from secure_api.data.sessions import find_session, lease_session, sessions_still_active
from secure_api.domain.caller import Caller
from secure_api.domain.clock import Clock
from secure_api.domain.errors import AuthenticationFailed
from secure_api.domain.session_lease import LeaseTerms

SWEPT_AT_ONCE: Final = 500  # sessions that one query of a sweep asks for


def secret_purpose(id: str) -> str:
    """Name what a session's secret is encrypted for: it cannot pass for another session's."""
    return f"secure-api session secret v1 {id}"


@dataclass(slots=True)
class OpenSession:
    """A session as this worker knows it: whose it is, its keys, and what is left of the worker's lease."""

    caller: Caller
    keys: SessionKeys
    requests: int = 0
    bytes: int = 0
    until: int = 0
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spend(self, size: int, now: int) -> bool:
        """Take one request of `size` bytes from the lease; false, and nothing taken, when it does not hold that."""
        if self.until < now or self.requests < 1 or self.bytes < size:
            return False
        self.requests -= 1
        self.bytes -= size
        return True

    def count_answer(self, size: int) -> None:
        """Count the bytes of an answer's body; they may overdraw the lease, and the next one makes up for it."""
        self.bytes -= size


class SessionKeeper:
    """Finds sessions, and counts their requests and bytes."""

    def __init__(self, database: Database, storage_key: StorageKey, *, clock: Clock, cache_size: int = 10_000) -> None:
        self._database = database
        self._storage_key = storage_key
        self._clock = clock
        self._cache: dict[str, OpenSession] = {}
        self._cache_size = cache_size

    async def find(self, id: str) -> OpenSession:
        """Find a session by its name.

        Raises:
            AuthenticationFailed: there is none that is active, or its secret cannot be decrypted here.
        """
        known = self._cache.get(id)
        if known is not None:
            return known
        async with self._database.read() as session:
            found = await find_session(session, id)
        if found is None:
            raise AuthenticationFailed("unknown-session")
        try:
            secret = self._storage_key.decrypt(found.secret, secret_purpose(id))
            opened = OpenSession(found.caller, SessionKeys.derive(id, secret))
        except CryptoError as error:
            raise AuthenticationFailed("unusable-session") from error
        while len(self._cache) >= self._cache_size:
            del self._cache[next(iter(self._cache))]
        # Two tasks may have looked at once: one object must hold the lease.
        return self._cache.setdefault(id, opened)

    async def charge(self, session: OpenSession, size: int) -> None:
        """Count one request with a body of `size` bytes.

        Raises:
            AuthenticationFailed: the session is used up, was idle for too long, or is over.
        """
        if session.spend(size, self._now()):
            return
        async with session.renewing:
            if session.spend(size, self._now()):
                return
            terms = LeaseTerms(self._now(), size, session.requests, session.bytes)
            # Emptied first: nobody may spend what is being given back. Answers go on being counted, below zero.
            session.requests = session.bytes = 0
            async with self._database.write() as transaction:
                lease = await lease_session(transaction, session.keys.session, terms)
            if lease is None:
                self.forget(session.keys.session)
                raise AuthenticationFailed("session-over")
            session.requests, session.until = lease.requests, lease.until
            session.bytes += lease.bytes
            if not session.spend(size, self._now()):
                raise AuthenticationFailed("session-over")

    async def sweep(self) -> int:
        """Drop the keys of sessions that are over, wherever they were ended; returns how many there were."""
        known = list(self._cache)
        dropped = 0
        for start in range(0, len(known), SWEPT_AT_ONCE):
            some = known[start : start + SWEPT_AT_ONCE]
            async with self._database.read() as session:
                active = await sessions_still_active(session, some, self._now())
            for id in some:
                if id not in active:
                    self.forget(id)
                    dropped += 1
        return dropped

    def forget(self, id: str) -> None:
        """Drop what is known of a session."""
        self._cache.pop(id, None)

    def _now(self) -> int:
        return int(self._clock().timestamp())
