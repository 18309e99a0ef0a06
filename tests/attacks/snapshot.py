"""What a database holds, in a form to be compared: the proof that a refused request changed nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.attacks import sql

_NONCES = "nonces"


@dataclass(frozen=True)
class Contents:
    """One table: how many rows, and a SHA-256 over all of them."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """A database at one moment. `nonces` stands apart: a believed request spends one, whatever becomes of it."""

    tables: Mapping[str, Contents]
    nonces: Contents
    ledger_tip: tuple[int, str]


def take(url: str) -> Snapshot:
    """Read every row of every table behind a SQLAlchemy URL."""
    tables = sql.read(url)
    tip = max((row["sequence"], row["hash"]) for row in tables["ledger_entries"])
    contents = {name: _contents(rows) for name, rows in sorted(tables.items())}
    return Snapshot({name: contents[name] for name in contents if name != _NONCES}, contents[_NONCES], tip)


def _contents(rows: Iterable[Mapping[str, Any]]) -> Contents:
    texts = sorted(repr(sorted(row.items())) for row in rows)
    return Contents(len(texts), hashlib.sha256("\n".join(texts).encode()).hexdigest())
