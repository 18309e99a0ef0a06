"""Verification of the whole ledger: entries, signed heads, the records and tables that entries tell of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any

from crypto import PublicKey
from secure_api.data import ledger as table
from secure_api.data.database import Database, ReadSession
from secure_api.data.ledger import EntryFields
from secure_api.data.records import first_without_entry, records_of_entry
from secure_api.domain import strict_json
from secure_api.domain.errors import LedgerTampered
from secure_api.domain.ledger import LedgerHead, LedgerVerifier
from secure_api.domain.ledger_state import LedgerState
from secure_api.services.ledger import RECORDS_APPENDED, records_digest
from secure_api.services.ledger_heads import believed
from secure_api.services.state_check import check_state


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What `verify` found in order."""

    entries: int
    heads: int
    records: int | None  # None: they were not checked
    last_hash: str
    unsigned: int  # entries after the newest signed head


async def verify(
    database: Database,
    server_keys: Mapping[str, PublicKey],
    *,
    kept: Sequence[LedgerHead] = (),
    with_records: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LedgerReport:
    """Check every entry, every signed head, the tables and, unless told otherwise, every record.

    `server_keys` are the trusted keys by keyid; `kept` are heads from elsewhere whose signatures were checked
    (`ledger_heads.check_signature`): the chain must contain them. `progress` is told (entries done, entries in all).

    Raises:
        LedgerTampered: names the first entry that was changed, removed or reordered, or whose records were.
        StateTampered: the ledger is intact, and names every row that is not as the entries made it.
        DatabaseUnavailable: the database cannot be reached.
    """
    async with database.snapshot() as session:
        total = await table.count_entries(session)
        heads = [believed(head, server_keys) for head in await table.heads(session)]
        _check_forks(heads, kept)
        verifier, state = LedgerVerifier(heads=[*heads, *kept]), LedgerState()
        done = records = 0
        # Closed here also when an entry is found touched: left to the event loop, its cursor would outlive the session.
        async with aclosing(table.entries(session)) as entries:
            async for entry in entries:
                verifier.feed(asdict(entry))
                payload: Any = strict_json.loads(entry.payload.encode())  # an object: the verifier has fed on it
                state.feed(entry.sequence, entry.kind, entry.organization_id, entry.actor, payload)
                if with_records and entry.kind == RECORDS_APPENDED:
                    records += await _check_records(database, entry, payload)
                done += 1
                progress(done, total)
        verifier.finish()
        if not done or not heads:
            # `initialize` appends the first entry and signs the first head: where there is none, somebody took it away.
            what = "signed head" if done else "entry"
            raise LedgerTampered(1, "removed", f"The ledger has no {what}; init made the first one.")
        if with_records:
            await _check_strays(session)
        await check_state(session, state)
    unsigned = done - heads[-1].sequence
    return LedgerReport(done, len(heads), records if with_records else None, verifier.hash, unsigned)


def _check_forks(heads: Iterable[LedgerHead], kept: Iterable[LedgerHead]) -> None:
    """Look for an entry that the server signed in two forms.

    Raises:
        LedgerTampered: there is one: whoever holds one of the heads was told another history.
    """
    hashes = {head.sequence: head.hash for head in heads}
    for head in kept:
        if hashes.setdefault(head.sequence, head.hash) != head.hash:
            detail = f"Ledger entry {head.sequence} was changed: two signed heads know it differently."
            raise LedgerTampered(head.sequence, "changed", detail)


async def _check_records(database: Database, entry: EntryFields, payload: Any) -> int:
    """Check the records that an entry vouches for; returns how many.

    Raises:
        LedgerTampered: they are not the ones that were appended.
    """
    changed = LedgerTampered(
        entry.sequence, "changed", f"Records that ledger entry {entry.sequence} vouches for were changed."
    )
    async with database.read() as session:
        try:
            rows = [row async for row in records_of_entry(session, entry.sequence)]
        except table.UNREADABLE:
            raise changed from None
    if len(rows) != payload.get("count"):
        raise LedgerTampered(
            entry.sequence,
            "changed",
            f"Ledger entry {entry.sequence} vouches for {payload.get('count')} records; {len(rows)} are there.",
        )
    owner = (payload.get("dataset"), entry.organization_id, entry.actor)
    moved = any((row.dataset_id, row.organization_id, row.client_id) != owner for row in rows)
    if moved or records_digest((row.time, row.attributes) for row in rows) != payload.get("sha256"):
        raise changed
    return len(rows)


async def _check_strays(session: ReadSession) -> None:
    """Look for records that no entry vouches for.

    Raises:
        LedgerTampered: there are some; it names the entry that they refer to.
    """
    stray = await first_without_entry(session, RECORDS_APPENDED)
    if stray is not None:
        raise LedgerTampered(stray, "changed", f"Records refer to ledger entry {stray}, which vouches for no records.")
