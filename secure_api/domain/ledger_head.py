"""The signed head: what pins the chain's tip for everybody who holds a copy."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from secure_api.domain.errors import Invalid
from secure_api.domain.instant import format_instant
from secure_api.domain.json_number import INTEGER_MAX
from secure_api.domain.ledger_entry import Hash, Name, Time
from secure_api.domain.strict_json import canonical, loads

#: Bytes of the JSON of a head at most; a signature of ML-DSA-87 has 6.2 kB in base64.
MAX_HEAD_BYTES: Final = 64 << 10
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

    @classmethod
    def parse(cls, document: bytes) -> Self:
        """Read a head as `GET /v1/ledger` gives it: JSON whose `signature` is base64.

        Raises:
            Invalid: it is longer than `MAX_HEAD_BYTES`, or no such document.
        """
        if len(document) > MAX_HEAD_BYTES:
            raise Invalid(f"A signed head has {MAX_HEAD_BYTES} bytes of JSON at most.")
        members = loads(document)
        signature = members.get("signature") if isinstance(members, dict) else None
        if not isinstance(members, dict) or not isinstance(signature, str):
            raise Invalid("That is no signed head of a ledger.")
        try:
            return cls.model_validate({**members, "signature": base64.b64decode(signature, validate=True)})
        except ValidationError as error:
            member = str(error.errors()[0]["loc"][0])
            raise Invalid(f"That is no signed head of a ledger: look at {member}.", pointer=f"/{member}") from error
        except ValueError as error:
            raise Invalid("The signature of that head is not base64.", pointer="/signature") from error

    def document(self) -> dict[str, str | int]:
        """Give the members of its JSON, as `parse` reads them."""
        return {
            "sequence": self.sequence,
            "hash": self.hash,
            "time": format_instant(self.time),
            "keyid": self.keyid,
            "signature": base64.b64encode(self.signature).decode("ascii"),
        }

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
