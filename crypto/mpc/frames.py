"""Frames between compute parties, within TLS: kind (1 byte), label (8), length (4), payload; big-endian."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from crypto.errors import MpcFormatError
from crypto.mpc.abort import AbortReason

HEAD: Final = struct.Struct(">BqI")
MAX_CONTROL: Final = 1_024  # bytes of a payload that is not a vector
_NOBODY: Final = 255
_REASONS: Final = tuple(AbortReason)
_TOO_LONG: Final = "a frame is longer than its kind can be"


class FrameKind(IntEnum):
    """What a frame is; the label is MPyC's program counter for VECTOR, and zero for the others."""

    HELLO = 1  # the sender's start transcript (32 bytes), bound to both indices
    KEYS = 2  # keys of pseudo-random secret sharing, from the lower index to the higher
    READY = 3  # the sender has agreed with everybody
    VECTOR = 4  # elements of the field
    FINAL = 5  # the sender's final transcript (32 bytes)
    ABORT = 6  # reason and party (2 bytes)
    ALIVE = 7  # nothing: the sender still runs


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    kind: FrameKind
    label: int
    payload: bytes

    def to_bytes(self) -> bytes:
        """Return the frame as sent."""
        return HEAD.pack(self.kind, self.label, len(self.payload)) + self.payload


class FrameReader:
    """Cuts a stream of bytes into frames; a vector has at most `max_vector` bytes."""

    def __init__(self, max_vector: int) -> None:
        self._max_vector = max_vector
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes and give the frames that are complete. Raises MpcFormatError."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= HEAD.size:
                kind, label, length = HEAD.unpack_from(self._buffer, start)
                if length > (self._max_vector if kind == FrameKind.VECTOR else MAX_CONTROL):
                    raise MpcFormatError(_TOO_LONG)
                end = start + HEAD.size + length
                if len(self._buffer) < end:
                    break
                try:
                    known = FrameKind(kind)
                except ValueError:
                    raise MpcFormatError(f"there is no frame of kind {kind}") from None
                payload = bytes(memoryview(self._buffer)[start + HEAD.size : end])
                start = end
                yield Frame(known, label, payload)
        finally:
            del self._buffer[:start]


def abort_payload(reason: AbortReason, party: int | None) -> bytes:
    """Return what an ABORT frame holds: the reason's number and the party that it is about."""
    return bytes([_REASONS.index(reason), _NOBODY if party is None else party])


def parse_abort(payload: bytes, parties: int) -> tuple[AbortReason, int | None]:
    """Read what `abort_payload` wrote. Raises MpcFormatError."""
    if len(payload) != 2 or payload[0] >= len(_REASONS) or not (payload[1] < parties or payload[1] == _NOBODY):
        raise MpcFormatError("an abort that names no reason")
    return _REASONS[payload[0]], None if payload[1] == _NOBODY else payload[1]
