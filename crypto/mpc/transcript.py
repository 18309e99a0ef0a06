"""What all parties must agree on before they compute, as one SHA-256; and the one that they agree on at the end."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crypto.errors import MpcFormatError, MpcTermsError
from crypto.mpc.terms import LABEL, MpcTerms

REVISION: Final = 1  # of the programs: parties of two revisions do not compute together
PIN_BYTES: Final = 32
DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution of a session: whose it is, and the SHA-256 of each party's box."""

    contributor: str
    boxes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One attempt at a study: its terms, its number, the parties' certificates (SHA-256), and all inputs in order.

    Raises MpcTermsError: there are too few or too many contributions, or parties; MpcFormatError: a digest's length.
    """

    terms: MpcTerms
    attempt: int
    certificates: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    library: str

    def __post_init__(self) -> None:
        """Refuse what is no session."""
        if len(self.certificates) != self.terms.parties or len(set(self.certificates)) != self.terms.parties:
            raise MpcTermsError(f"{self.terms.parties} parties have as many certificates, all different")
        least, most = self.terms.minimum, self.terms.contributors
        if not least <= len(self.entries) <= most:
            raise MpcTermsError(f"the terms want {least} to {most} contributions, not {len(self.entries)}")
        if len({entry.contributor for entry in self.entries}) != len(self.entries):
            raise MpcTermsError("a contributor is there twice")
        digests = [*self.certificates, *(box for entry in self.entries for box in entry.boxes)]
        if any(len(digest) != DIGEST_BYTES for digest in digests):
            raise MpcFormatError("certificates and boxes stand here by a SHA-256 of 32 bytes")
        if any(len(entry.boxes) != self.terms.parties for entry in self.entries):
            raise MpcFormatError("a contribution has one box a party")
        if not 0 <= self.attempt < 2**32:
            raise MpcTermsError("the number of an attempt is from 0 to 2^32 - 1")

    @property
    def id(self) -> bytes:
        """What stands for the session in the clear: it says nothing of the contributions."""
        named = self.terms.digest + struct.pack(">I", self.attempt) + b"".join(self.certificates)
        return hashlib.sha256(LABEL + b"session\n" + named).digest()

    @property
    def transcript(self) -> bytes:
        """What parties compare before they compute: session, revision, library, and all inputs in their order."""
        digest = hashlib.sha256(LABEL + b"start\n" + self.id + struct.pack(">H", REVISION))
        digest.update(_counted(self.library) + struct.pack(">I", len(self.entries)))
        for entry in self.entries:
            digest.update(_counted(entry.contributor) + b"".join(entry.boxes))
        return digest.digest()


def final_transcript(transcript: bytes, opened: bytes) -> bytes:
    """Return what parties compare at the end: the first transcript, and everything that was opened as the result."""
    return hashlib.sha256(LABEL + b"end\n" + transcript + hashlib.sha256(opened).digest()).digest()


def order(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return contributions in the one order of a session: by the contributors' keyids."""
    return tuple(sorted(entries, key=lambda entry: entry.contributor))


def _counted(text: str) -> bytes:
    data = text.encode("ascii")
    return struct.pack(">B", len(data)) + data
