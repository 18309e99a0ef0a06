"""What `ledger verify` found, in words or as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from secure_api.cli.console import put, put_json

if TYPE_CHECKING:
    from secure_api.domain.errors import LedgerTampered, StateTampered
    from secure_api.domain.ledger import LedgerHead
    from secure_api.services.ledger_verification import LedgerReport

CONTRADICTED = "contradicted"  # what befell a row: the entries are intact and say otherwise


def show_tampered(error: "LedgerTampered", *, json: bool) -> None:
    """Name the entry that is not what was appended."""
    if json:
        put_json({"valid": False, "sequence": error.sequence, "what": error.what, "detail": error.detail})
    else:
        put(f"TAMPERED: {error.detail}")


def show_contradicted(error: "StateTampered", *, json: bool) -> None:
    """Name every row that is not as the entries made it."""
    if json:
        found = [asdict(item) for item in error.discrepancies]
        first = {"sequence": found[0]["sequence"], "what": CONTRADICTED, "detail": error.detail}
        put_json({"valid": False, **first, "discrepancies": found})
        return
    for item in error.discrepancies:
        put(f"TAMPERED: {item.detail}")


def show_intact(report: "LedgerReport", kept: "LedgerHead | None", *, json: bool) -> None:
    """Tell what was checked and found in order."""
    if json:
        put_json(
            {
                "valid": True,
                "entries": report.entries,
                "heads": report.heads,
                "records": report.records,
                "unsigned": report.unsigned,
                "hash": report.last_hash,
                "kept_head": None if kept is None else kept.sequence,
            }
        )
        return
    records = "records not checked" if report.records is None else f"{report.records} records"
    line = f"ledger intact: {report.entries} entries, {report.heads} signed heads, {records}; "
    line += f"{report.unsigned} entries are not under a signed head yet"
    put(line if kept is None else f"{line}; it contains the head of entry {kept.sequence}")
