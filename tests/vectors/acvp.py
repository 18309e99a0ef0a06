"""Reading ACVP files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def from_hex(test: Mapping[str, Any], *names: str) -> list[bytes]:
    """The members with these names, as bytes."""
    return [bytes.fromhex(test[name]) for name in names]


def groups(document: Any, algorithm: str, **members: str) -> Iterator[Any]:
    """The test groups of an algorithm that have these members."""
    for group in document["testGroups"]:
        if group["parameterSet"].lower() == algorithm and members.items() <= group.items():
            yield group
