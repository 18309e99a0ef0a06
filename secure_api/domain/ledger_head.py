"""The signed head: what pins the chain's tip for everybody who holds a copy."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from secure_api.domain.instant import format_instant
from secure_api.domain.json_number import INTEGER_MAX
from secure_api.domain.ledger_entry import Hash, Name, Time
from secure_api.domain.strict_json import canonical

#: First line of what a head's signature covers: the same key must never sign these bytes for another purpose.
HEAD_CONTEXT: Final = b"secure-api ledger head v1\n"


class LedgerHead(BaseModel):
    """The chain's tip at one moment, signed by the server's key `keyid` over `head_statement`; immutable.

    The signature is not checked here: the domain knows no cryptography.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_bytes="base64")

    sequence: Annotated[int, Field(ge=0, le=INTEGER_MAX)]
    hash: Hash
    time: Time
    keyid: Name
    signature: Annotated[bytes, Field(min_length=1)]

    def statement(self) -> bytes:
        """Give the bytes that `signature` has to cover."""
        return head_statement(self.sequence, self.hash, self.time)


def head_statement(sequence: int, hash: str, time: datetime) -> bytes:
    """Give the bytes that a head's signature covers.

    They are `HEAD_CONTEXT` (25 ASCII characters and U+000A) followed by the RFC 8785 canonical JSON of
    `{"hash": ..., "sequence": ..., "time": ...}`, the time as RFC 3339 in UTC.

    Raises:
        Invalid: the sequence or the time cannot be written.
    """
    return HEAD_CONTEXT + canonical({"hash": hash, "sequence": sequence, "time": format_instant(time)})
