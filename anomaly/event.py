"""What behavior analysis sees of a request: its metadata, under pseudonyms."""

import hashlib
import hmac
from enum import IntEnum
from typing import Final, NamedTuple

from anomaly.errors import EventError

NOBODY: Final = 0
"""The pseudonym of who did not say who they are, and of a request that names no object."""

_MIN_SECRET: Final = 16
_MAX_TIME: Final = 1e12
_PSEUDONYMS: Final = 1 << 63
_MAX_ROUTE: Final = 512


class Proof(IntEnum):
    """What came of the request's signature."""

    VALID = 0
    ABSENT = 1
    BAD = 2
    REPLAYED = 3


class ApiEvent(NamedTuple):
    """One answered request. Immutable, without body, query or any identifier in clear.

    A tuple because one is made for every request: a frozen dataclass of as many fields costs four times as much.

    Attributes:
        time: when the answer was sent, seconds since the epoch.
        client: pseudonym of the key that signed, after verification; `NOBODY` when none did.
        organization: pseudonym of the client's organization, or `NOBODY`.
        network: pseudonym of the source network (a /24 or /48).
        route: the route's template with its method ("GET /v1/studies/{id}"), never the path.
        status: HTTP status.
        object: pseudonym of the object that the path names, or `NOBODY`.
        agent: pseudonym of the user agent.
        request_bytes: length of the request body.
        response_bytes: length of the response body.
        latency: seconds that the answer took.
        proof: what came of the signature.
    """

    time: float
    client: int
    network: int
    route: str
    status: int
    organization: int = NOBODY
    object: int = NOBODY
    agent: int = NOBODY
    request_bytes: int = 0
    response_bytes: int = 0
    latency: float = 0.0
    proof: Proof = Proof.VALID


class LabelledEvent(NamedTuple):
    """An event and the truth about it: the kind of attack ("" for none) and the incident's number (0 for none)."""

    event: ApiEvent
    attack: str
    incident: int


def check(event: ApiEvent) -> None:
    """Check that the numbers of an event are what they must be; half a microsecond.

    Raises:
        EventError: one is negative, not finite, or too large.
    """
    if not (
        0.0 <= event.time < _MAX_TIME
        and 0.0 <= event.latency < _MAX_TIME
        and 0 <= event.client < _PSEUDONYMS
        and 0 <= event.network < _PSEUDONYMS
        and 0 <= event.organization < _PSEUDONYMS
        and 0 <= event.object < _PSEUDONYMS
        and 0 <= event.agent < _PSEUDONYMS
        and 0 <= event.request_bytes < _PSEUDONYMS
        and 0 <= event.response_bytes < _PSEUDONYMS
        and len(event.route) <= _MAX_ROUTE
    ):
        raise EventError("An event has a number that is negative, not finite or too large, or too long a route.")


class Pseudonyms:
    """Keyed hashes of identifiers that nobody can link from one period to the next.

    BLAKE2b keyed with HMAC-SHA256(secret, period), 63 bits of output. Rotation makes every client a new one: it keeps
    what a stolen state says about persons short-lived, at the price of habits learned anew.

    Args:
        secret: at least 16 bytes of randomness, kept outside any saved state.
        period: seconds until the salt changes.

    Raises:
        EventError: the secret is too short, or the period not positive.
    """

    def __init__(self, secret: bytes, period: float = 30 * 86_400.0) -> None:
        if len(secret) < _MIN_SECRET or not period > 0:
            raise EventError(f"Pseudonyms need {_MIN_SECRET} bytes of secret and a positive period.")
        self._secret = secret
        self._period = period
        self._epoch = -1
        self._salt = b""

    def of(self, kind: bytes, value: bytes, time: float) -> int:
        """Return the pseudonym of `value` among identifiers of `kind` (at most 16 bytes) at `time`; never `NOBODY`."""
        epoch = int(time // self._period)
        if epoch != self._epoch:
            self._epoch = epoch
            self._salt = hmac.digest(self._secret, b"anomaly pseudonyms %d" % epoch, "sha256")
        digest = hashlib.blake2b(value, digest_size=8, key=self._salt, person=kind).digest()
        return int.from_bytes(digest, "big") >> 1 or 1
