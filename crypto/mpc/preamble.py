"""What is said in clear before TLS: which session, from which party to which, and the certificate to expect.

Python's TLS asks for a client's certificate only when it knows whom to trust. So each side sends its certificate
first; the other holds it against the pin, and makes a TLS context that trusts this one alone. Nothing here is
believed: a false preamble ends a connection, never a session.
"""

from __future__ import annotations

import struct
from asyncio import IncompleteReadError, StreamReader
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from crypto.errors import MpcFormatError
from crypto.mpc.certificates import MAX_CERTIFICATE_BYTES

_MAGIC: Final = b"SAMP\x01"
_HEAD: Final = struct.Struct(">5s32sBBBH")


class Answer(IntEnum):
    """What the listening side says of the other's preamble; the dialing side sends WELCOME."""

    WELCOME = 0
    OTHER_SESSION = 1
    WRONG_CERTIFICATE = 2


@dataclass(frozen=True, slots=True)
class Preamble:
    """One side's preamble: session (32 bytes), indices of parties, an answer, and the sender's certificate (DER)."""

    session: bytes
    sender: int
    receiver: int
    certificate: bytes
    answer: Answer = Answer.WELCOME

    def to_bytes(self) -> bytes:
        """Return the bytes as sent."""
        numbers = (self.sender, self.receiver, self.answer, len(self.certificate))
        return _HEAD.pack(_MAGIC, self.session, *numbers) + self.certificate

    @classmethod
    async def read(cls, reader: StreamReader) -> Preamble:
        """Read one from a connection. Raises MpcFormatError: it is none, or the connection ended."""
        try:
            magic, session, sender, receiver, answer, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
            if magic != _MAGIC or answer > max(Answer) or not 0 < length <= MAX_CERTIFICATE_BYTES:
                raise MpcFormatError("not the preamble of a compute party")
            return cls(session, sender, receiver, await reader.readexactly(length), Answer(answer))
        except (IncompleteReadError, OSError):
            raise MpcFormatError("the connection ended before its preamble") from None
