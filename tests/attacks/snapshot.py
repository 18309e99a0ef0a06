"""What a database holds, in a form to be compared: the proof that a refused request changed nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.attacks import sql

_NONCES, _SESSIONS = "nonces", "sessions"
#: What of a session a worker writes down whenever it takes a lease on it.
_LEASED = {"requests_left", "bytes_left", "last_used"}


@dataclass(frozen=True)
class Contents:
    """One table: how many rows, and a SHA-256 over all of them."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """A database at one moment.

    `nonces` and `leases` stand apart: a believed request spends a nonce and may take a lease, whatever becomes of it.
    """

    tables: Mapping[str, Contents]
    nonces: Contents
    leases: Contents
    ledger_tip: tuple[int, str]


def take(url: str) -> Snapshot:
    """Read every row of every table behind a SQLAlchemy URL."""
    tables = sql.read(url)
    del tables["alerts"], tables["restrictions"]  # what behavior analysis finds, a moment after a request
    tip = max((row["sequence"], row["hash"]) for row in tables["ledger_entries"])
    nonces, sessions = _contents(tables.pop(_NONCES)), tables[_SESSIONS]
    leases = _contents({name: row[name] for name in ("id", *sorted(_LEASED))} for row in sessions)
    tables[_SESSIONS] = [{name: row[name] for name in row.keys() - _LEASED} for row in sessions]
    return Snapshot({name: _contents(rows) for name, rows in sorted(tables.items())}, nonces, leases, tip)


def _contents(rows: Iterable[Mapping[str, Any]]) -> Contents:
    texts = sorted(repr(sorted(row.items())) for row in rows)
    return Contents(len(texts), hashlib.sha256("\n".join(texts).encode()).hexdigest())
