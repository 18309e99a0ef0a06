"""What a party's supervisor tells its child process, and what the child answers: JSON and one vector, with lengths."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from crypto.errors import MpcAborted, MpcError, MpcFormatError
from crypto.mpc.terms import MpcTerms
from crypto.mpc.transcript import Entry, Session
from crypto.privacy.terms import PrivacyTerms

LENGTHS: Final = struct.Struct(">IQ")
MAX_BYTES: Final = 2**33


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: until all parties are connected, of silence of one of them, and of the whole session."""

    connect: float = 30.0
    round: float = 30.0
    total: float = 600.0


@dataclass(frozen=True, slots=True)
class Job:
    """One session as one party runs it: `shares` has a row of `terms.length` elements for each of its contributions.

    `addresses` are host and port of each party; `listen` is where this one listens, or `socket` a descriptor that
    listens already.
    """

    session: Session
    index: int
    addresses: tuple[tuple[str, int], ...]
    listen: tuple[str, int]
    socket: int | None
    key_file: str
    certificate_file: str
    deadlines: Deadlines
    shares: bytes

    def to_bytes(self) -> bytes:
        """Return the job as the child reads it."""
        session = self.session
        head = {
            "terms": {name.name: getattr(session.terms, name.name) for name in fields(MpcTerms)}
            | {"arguments": dict(session.terms.arguments)}
            | {"privacy": None if session.terms.privacy is None else asdict(session.terms.privacy)},
            "attempt": session.attempt,
            "certificates": [pin.hex() for pin in session.certificates],
            "entries": [[entry.contributor, *(box.hex() for box in entry.boxes)] for entry in session.entries],
            "library": session.library,
            "index": self.index,
            "addresses": self.addresses,
            "listen": self.listen,
            "socket": self.socket,
            "key_file": self.key_file,
            "certificate_file": self.certificate_file,
            "deadlines": asdict(self.deadlines),
        }
        return _joined(head, self.shares)

    @classmethod
    def from_bytes(cls, data: bytes) -> Job:
        """Read what `to_bytes` wrote: it comes from the child's own supervisor. Raises MpcError."""
        head, shares = _cut(data)
        entries = tuple(Entry(name, tuple(map(bytes.fromhex, boxes))) for name, *boxes in head["entries"])
        certificates = tuple(map(bytes.fromhex, head["certificates"]))
        privacy = head["terms"].pop("privacy")
        terms = MpcTerms(**head["terms"], privacy=None if privacy is None else PrivacyTerms(**privacy))
        session = Session(terms, head["attempt"], certificates, entries, head["library"])
        addresses = tuple((host, port) for host, port in head["addresses"])
        host, port = head["listen"]
        files = head["key_file"], head["certificate_file"]
        deadlines = Deadlines(**head["deadlines"])
        return cls(session, head["index"], addresses, (host, port), head["socket"], *files, deadlines, shares)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a child found: the opened elements, the final transcript, and what it cost."""

    elements: bytes
    transcript: bytes
    seconds: float  # from agreement to agreement: shares read and added, computed, opened, compared
    bytes_sent: int


def outcome_bytes(outcome: Opened | MpcError) -> bytes:
    """Return what the child answers."""
    if isinstance(outcome, Opened):
        told = {"transcript": outcome.transcript.hex(), "seconds": outcome.seconds, "bytes_sent": outcome.bytes_sent}
        return _joined(told, outcome.elements)
    if isinstance(outcome, MpcAborted):
        return _joined(dict(zip(("reason", "party", "told_by", "detail"), outcome.args, strict=True)), b"")
    return _joined({"error": str(outcome)}, b"")


def parse_outcome(data: bytes) -> Opened:
    """Read the child's answer. Raises MpcAborted, MpcError as the child did, and MpcFormatError."""
    head, elements = _cut(data)
    if "reason" in head:
        raise MpcAborted(head["reason"], head["party"], head["told_by"], head["detail"])
    if "error" in head:
        raise MpcError(head["error"])
    return Opened(elements, bytes.fromhex(head["transcript"]), head["seconds"], head["bytes_sent"])


def _joined(head: Mapping[str, object], vector: bytes) -> bytes:
    text = json.dumps(head).encode()
    return LENGTHS.pack(len(text), len(vector)) + text + vector


def _cut(data: bytes) -> tuple[dict[str, Any], bytes]:
    if len(data) < LENGTHS.size:
        raise MpcFormatError("nothing was said")
    text, vector = LENGTHS.unpack_from(data)
    if len(data) != LENGTHS.size + text + vector:
        raise MpcFormatError("what was said was cut off")
    return json.loads(data[LENGTHS.size : LENGTHS.size + text]), data[LENGTHS.size + text :]
