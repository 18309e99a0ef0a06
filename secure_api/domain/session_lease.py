"""Leases on sessions: how several workers share one session's limits without asking for every request.

A worker takes a small part of the requests and bytes that a session has left, for a few seconds, and gives back what it
did not use when it takes the next part. Requests never pass their limit; bytes do only by the answers that were under
way when it was reached, since an answer counts when it is made.
A worker that dies loses its part at most. Parts are small, lest what others hold end a session early.
"""

from dataclasses import dataclass
from typing import Final

LEASE_SECONDS: Final = 15
LEASE_REQUESTS: Final = 1_024
_SHARE: Final = 64  # of what is left, one lease takes this part at most


@dataclass(frozen=True, slots=True)
class SessionLease:
    """What one worker may spend of a session until `until` (POSIX seconds, included)."""

    requests: int
    bytes: int
    until: int


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """What a worker asks for at `now` (POSIX seconds): room for `needed_bytes`, giving back what it has not used."""

    now: int
    needed_bytes: int
    unused_requests: int = 0
    unused_bytes: int = 0

    def cut(self, requests_left: int, bytes_left: int, idle_timeout: int) -> SessionLease | None:
        """Cut a lease out of what is left; None when not even one request has room."""
        requests, octets = requests_left + self.unused_requests, bytes_left + self.unused_bytes
        if requests < 1 or octets < self.needed_bytes:
            return None
        return SessionLease(
            requests=max(1, min(LEASE_REQUESTS, requests // _SHARE)),
            bytes=max(self.needed_bytes, octets // _SHARE),
            until=self.now + min(LEASE_SECONDS, idle_timeout // 4),
        )
