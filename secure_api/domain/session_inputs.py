"""What goes into a multi-party session: contributions in the one order of all parties, each with its boxes' digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from secure_api.domain import strict_json
from secure_api.domain.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class SessionInput:
    """One contribution: whose it is, the keyid that names it to parties, SHA-256 (hexadecimal) of each box."""

    client_id: str
    contributor: str
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionInputs:
    """All of them."""

    inputs: tuple[SessionInput, ...]

    @classmethod
    def ordered(cls, inputs: Sequence[SessionInput]) -> Self:
        """Put them in the order of a session: by keyid."""
        return cls(tuple(sorted(inputs, key=lambda one: one.contributor)))

    def to_bytes(self) -> bytes:
        """Return them as JSON."""
        rows: list[JsonValue] = [[one.client_id, one.contributor, *one.boxes] for one in self.inputs]
        return strict_json.dumps(rows)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        rows: list[list[str]] = strict_json.loads(content)  # type: ignore[assignment]  # our own words
        return cls(tuple(SessionInput(client, contributor, tuple(boxes)) for client, contributor, *boxes in rows))
