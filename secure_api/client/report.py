"""What an exchange cost and what protected it, for whoever wants to see: `response.extensions[REPORT]`."""

import time
from dataclasses import dataclass, field
from typing import Final

#: Where `httpx.Response.extensions` holds the report of an exchange.
REPORT: Final = "secure_api.exchange"


@dataclass(frozen=True, slots=True)
class SealReport:
    """One sealed body: by which algorithm, to which key, bound to which lines, and its bytes before and after."""

    algorithm: str
    kid: str
    context: bytes
    plain: int
    sealed: int


@dataclass(frozen=True, slots=True)
class HandshakeReport:
    """A handshake that went ahead of a request: the bytes of both bodies, and seconds until the keys were there."""

    session: str
    suite: str
    rekey: bool
    sent: int
    received: int
    seconds: float


@dataclass(slots=True)
class Report:
    """What an exchange cost: seconds of the client's own work, and bytes beyond those of the bare messages.

    `seconds` has `sign`, `seal`, `verify` and `open`, `bytes` has `signature`, `seal`, `answer's signature` (with the
    field that asks for it) and `answer's seal`, as far as the exchange came.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    signed_by: str | None = None  # keyid that signed the answer
    request: SealReport | None = None
    answer: SealReport | None = None
    handshake: HandshakeReport | None = None

    @property
    def sealed_by(self) -> str | None:
        """The algorithm that sealed the request, None when it went in clear."""
        return None if self.request is None else self.request.algorithm

    def timed(self, what: str, since: float) -> None:
        """Note how long something took, from `since` (by `time.perf_counter`) to now."""
        self.seconds[what] = time.perf_counter() - since


def field_bytes(name: str | bytes, value: str | bytes) -> int:
    """Count the bytes of a header field's line."""
    return len(name) + len(": ") + len(value) + len("\r\n")
