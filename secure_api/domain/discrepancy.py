"""One place where the tables and the ledger's entries tell different stories."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A row that is not what the entries made it.

    `table` and `row` (its id) name it; `sequence` is the entry that says otherwise, None when no entry speaks of it.
    """

    table: str
    row: str
    sequence: int | None
    detail: str
