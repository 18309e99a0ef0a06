"""The ledger's service: a chain under concurrency, and a verifier that names what was tampered with."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.data import ledger as table
from secure_api.data.database import Database
from secure_api.data.ledger import HeadFields, add_head
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.domain.caller import Caller
from secure_api.domain.clock import system_clock
from secure_api.domain.errors import LedgerTampered
from secure_api.domain.ledger import head_statement, next_entry
from secure_api.domain.limits import Limits
from secure_api.domain.roles import Role
from secure_api.services import datasets, records
from secure_api.services.ledger import append, records_digest, sign_head
from secure_api.services.ledger_verification import LedgerReport, verify
from secure_api.services.work import Work
from tests.consortium import server_key

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRUSTED = {server_key().public_key.keyid: server_key().public_key}


async def caller_of(database: Database) -> Caller:
    async with database.read() as session:
        client, organization = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
    return Caller(client, organization, "operator", Role.ADMIN, True, ())


async def execute(database: Database, *statements: str) -> None:
    """Change the database as somebody would who has it in his hands."""
    async with database.write() as session:
        for statement in statements:
            await (await session.connection()).exec_driver_sql(statement)


async def write(database: Database, batches: int = 3) -> None:
    """Create a dataset and append batches of two records: entry 2, then entries 3, 4, ..."""
    caller = await caller_of(database)
    async with database.write() as session:
        await datasets.create_dataset(
            Work(session, caller, system_clock, Limits(), DatabaseNonceStore(database)), "vitals"
        )
    for number in range(batches):
        async with database.write() as session:
            work = Work(session, caller, system_clock, Limits(), DatabaseNonceStore(database))
            batch = [records.NewRecord(NOW + timedelta(seconds=n), {"n": number, "m": n}) for n in range(2)]
            await records.append_records(work, "vitals", batch)


async def test_what_was_written_verifies(database: Database) -> None:
    await write(database)
    progress: list[tuple[int, int]] = []
    report = await verify(database, TRUSTED, progress=lambda done, total: progress.append((done, total)))
    assert progress == [(done, 5) for done in range(1, 6)]
    async with database.read() as session:
        newest = await session.scalar(text("SELECT hash FROM ledger_entries WHERE sequence = 5"))
    assert report == LedgerReport(entries=5, heads=1, records=6, last_hash=str(newest), unsigned=4)
    assert await sign_head(database, server_key(), system_clock) == 5
    assert await sign_head(database, server_key(), system_clock) is None
    report = await verify(database, TRUSTED, with_records=False)
    assert (report.heads, report.records, report.unsigned) == (2, None, 0)


async def test_a_hundred_appends_at_once_make_one_chain(database: Database) -> None:
    caller = await caller_of(database)

    async def one(number: int) -> int:
        async with database.write() as session:
            entry = await append(
                session,
                time=system_clock(),
                kind="test.appended",
                organization_id=caller.organization_id,
                actor=None,
                payload={"number": number},
            )
            await asyncio.sleep(0)
            return entry.sequence

    sequences = await asyncio.gather(*(one(number) for number in range(100)))
    assert sorted(sequences) == list(range(2, 102))
    assert (await verify(database, TRUSTED)).entries == 101


async def test_an_append_that_is_rolled_back_leaves_no_gap(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as session:
            entry = await append(session, time=NOW, kind="a.b", organization_id=None, actor=None, payload={})
            assert entry.sequence == 2
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await fail()
    await write(database, 1)
    assert (await verify(database, TRUSTED)).entries == 3


async def test_of_workers_who_sign_the_same_head_one_is_kept(database: Database) -> None:
    await write(database, 1)
    signed = await asyncio.gather(*(sign_head(database, server_key(), system_clock) for _ in range(5)))
    assert 3 in signed
    assert set(signed) <= {3, None}
    assert (await verify(database, TRUSTED)).heads == 2


async def test_an_empty_ledger_has_no_head(database: Database) -> None:
    await execute(database, "DELETE FROM ledger_heads", "DELETE FROM ledger_entries")
    assert await sign_head(database, server_key(), system_clock) is None
    with pytest.raises(LedgerTampered, match="The ledger has no entry; init made the first one"):
        await verify(database, TRUSTED)


COPY = "sequence, previous_hash, time, kind, organization_id, actor, payload, hash"
SMUGGLED = (
    "INSERT INTO records (organization_id, dataset_id, ledger_sequence, time, attributes, client_id) "
    "SELECT organization_id, dataset_id, {}, time, attributes, client_id FROM records WHERE ledger_sequence = 3"
)
TAMPERING: dict[str, tuple[list[str], int, str, str]] = {
    # What is done to a ledger of 6 entries, the last 4 of records; the entry named; what befell it; the detail.
    "actor": (["UPDATE ledger_entries SET actor = 'mallory' WHERE sequence = 3"], 3, "changed", "changed"),
    "kind": (["UPDATE ledger_entries SET kind = 'a.b' WHERE sequence = 2"], 2, "changed", "changed"),
    "no kind at all": (["UPDATE ledger_entries SET kind = '' WHERE sequence = 4"], 4, "changed", "changed"),
    "time": (["UPDATE ledger_entries SET time = '2020-01-01 00:00:00+00' WHERE sequence = 3"], 3, "changed", "changed"),
    "payload": (["UPDATE ledger_entries SET payload = '{}' WHERE sequence = 4"], 4, "changed", "changed"),
    "payload, not canonical": (
        ["UPDATE ledger_entries SET payload = replace(payload, ',', ', ') WHERE sequence = 4"],
        4,
        "changed",
        "changed",
    ),
    "payload, not JSON": (
        ["UPDATE ledger_entries SET payload = 'nothing' WHERE sequence = 4"],
        4,
        "changed",
        "changed",
    ),
    "hash": ([f"UPDATE ledger_entries SET hash = '{'f' * 64}' WHERE sequence = 3"], 3, "changed", "changed"),
    "link": ([f"UPDATE ledger_entries SET previous_hash = '{'0' * 64}' WHERE sequence = 3"], 3, "changed", "changed"),
    "removed": (["DELETE FROM ledger_entries WHERE sequence = 3"], 3, "removed", "removed"),
    "first removed": (["DELETE FROM ledger_entries WHERE sequence = 1"], 1, "removed", "removed"),
    "removed and closed up": (
        [
            "DELETE FROM ledger_entries WHERE sequence = 3",
            "UPDATE ledger_entries SET sequence = 3 WHERE sequence = 4",
        ],
        4,
        "reordered",
        "reordered to number 3",
    ),
    "swapped": (
        [
            "UPDATE ledger_entries SET sequence = 99 WHERE sequence = 3",
            "UPDATE ledger_entries SET sequence = 3 WHERE sequence = 4",
            "UPDATE ledger_entries SET sequence = 4 WHERE sequence = 99",
        ],
        4,
        "reordered",
        "reordered to number 3",
    ),
    "copied": (
        [f"INSERT INTO ledger_entries ({COPY}) SELECT 7, {COPY[10:]} FROM ledger_entries WHERE sequence = 6"],
        6,
        "duplicated",
        "stands as number 7",
    ),
    "cut off behind a head": (["DELETE FROM ledger_entries WHERE sequence > 4"], 5, "removed", "signed head"),
    "head's signature": (["UPDATE ledger_heads SET signature = 'x' WHERE sequence = 6"], 6, "changed", "signed head"),
    "head's time": (
        ["UPDATE ledger_heads SET time = '2020-01-01 00:00:00+00' WHERE sequence = 6"],
        6,
        "changed",
        "signed head",
    ),
    "head's hash": ([f"UPDATE ledger_heads SET hash = '{'f' * 64}' WHERE sequence = 6"], 6, "changed", "signed head"),
    "head's hash, of no form": (["UPDATE ledger_heads SET hash = 'x' WHERE sequence = 6"], 6, "changed", "signed head"),
    "head's key": (["UPDATE ledger_heads SET keyid = 'x' WHERE sequence = 6"], 6, "changed", "unknown key"),
    "head moved": (["UPDATE ledger_heads SET sequence = 5 WHERE sequence = 6"], 5, "changed", "signed head"),
    "record changed": (
        ["UPDATE records SET attributes = '{\"n\":7}' WHERE ledger_sequence = 4 AND attributes LIKE '%\"m\":1%'"],
        4,
        "changed",
        "Records that ledger entry 4",
    ),
    "record's time changed": (
        ["UPDATE records SET time = '2020-01-01 00:00:00+00' WHERE ledger_sequence = 5"],
        5,
        "changed",
        "Records that ledger entry 5",
    ),
    "record removed": (
        ["DELETE FROM records WHERE ledger_sequence = 5 AND attributes LIKE '%\"m\":1%'"],
        5,
        "changed",
        "vouches for 2 records; 1 are there",
    ),
    "record moved to another dataset": (
        [
            "INSERT INTO datasets (id, organization_id, name, created) "
            "SELECT 'other', organization_id, 'other', created FROM datasets",
            "UPDATE records SET dataset_id = 'other' WHERE ledger_sequence = 5",
        ],
        5,
        "changed",
        "Records that ledger entry 5",
    ),
    "record ascribed to another client": (
        ["UPDATE records SET client_id = 'mallory' WHERE ledger_sequence = 5"],
        5,
        "changed",
        "Records that ledger entry 5",
    ),
    "record smuggled in": ([SMUGGLED.format(6)], 6, "changed", "vouches for 2 records; 4 are there"),
    "record smuggled in under another entry": ([SMUGGLED.format(2)], 2, "changed", "entry 2, which vouches for no"),
    "record smuggled in under no entry": ([SMUGGLED.format(99)], 99, "changed", "entry 99, which vouches for no"),
}


@pytest.mark.parametrize("case", TAMPERING)
async def test_tampering_is_found_and_named(database: Database, case: str) -> None:
    statements, sequence, what, word = TAMPERING[case]
    await write(database, 4)
    assert await sign_head(database, server_key(), system_clock) == 6
    assert (await verify(database, TRUSTED)).entries == 6
    if database.dialect == "sqlite":
        statements = [statement.replace("00:00:00+00'", "00:00:00.000000'") for statement in statements]
    await execute(database, *statements)
    with pytest.raises(LedgerTampered) as found:
        await verify(database, TRUSTED)
    assert (found.value.sequence, found.value.what) == (sequence, what), found.value.detail
    assert word in found.value.detail
    assert "\n" not in found.value.detail


async def recomputed(database: Database, actor: str) -> None:
    """Change the actor of entry 2, and hash it and every later one anew, as one who has database and code can."""
    async with database.read() as session:
        kept = [entry async for entry in table.entries(session)]
    previous = kept[0].hash
    for entry in kept[1:]:
        forged = next_entry(
            entry.sequence - 1,
            previous,
            time=entry.time,
            kind=entry.kind,
            organization_id=entry.organization_id,
            actor=actor if entry.sequence == 2 else entry.actor,
            payload=json.loads(entry.payload),
        )
        values = {"actor": forged.actor, "link": previous, "hash": forged.hash, "n": forged.sequence}
        async with database.write() as session:
            await session.execute(
                text(
                    "UPDATE ledger_entries SET actor = :actor, previous_hash = :link, hash = :hash WHERE sequence = :n"
                ),
                values,
            )
        previous = forged.hash


async def test_a_chain_hashed_anew_is_given_away_by_a_signed_head(database: Database) -> None:
    await write(database, 4)
    await recomputed(database, "mallory")
    assert (await verify(database, TRUSTED)).entries == 6, "nobody can notice without a head"
    assert await sign_head(database, server_key(), system_clock) == 6
    await recomputed(database, "trent")
    with pytest.raises(LedgerTampered) as found:
        await verify(database, TRUSTED)
    assert (found.value.sequence, found.value.what) == (6, "changed")
    assert "signed head" in found.value.detail


async def test_a_head_of_somebody_elses_key_is_no_head(database: Database) -> None:
    forger = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
    await write(database, 1)
    async with database.read() as session:
        sequence, hash_ = await table.tip(session) or (0, "")
    for keyid in (forger.public_key.keyid, server_key().public_key.keyid):
        await execute(database, "DELETE FROM ledger_heads")
        signature = forger.sign(head_statement(sequence, hash_, NOW))
        async with database.write() as session:
            await add_head(session, HeadFields(sequence, hash_, NOW, keyid, signature))
        with pytest.raises(LedgerTampered) as found:
            await verify(database, TRUSTED)
        assert (found.value.sequence, found.value.what) == (3, "changed")


async def test_entries_appended_while_it_verifies_do_not_disturb(database: Database) -> None:
    await write(database, 10)

    def meanwhile(done: int, total: int) -> None:
        if done == 1:
            tasks.append(asyncio.get_running_loop().create_task(append_one()))

    async def append_one() -> None:
        async with database.write() as session:
            await append(session, time=NOW, kind="a.b", organization_id=None, actor=None, payload={})

    tasks: list[asyncio.Task[None]] = []
    report = await verify(database, TRUSTED, progress=meanwhile)
    await asyncio.gather(*tasks)
    assert report.entries in {12, 13}
    assert (await verify(database, TRUSTED)).entries == 13


def test_a_digest_of_records_is_over_one_line_each() -> None:
    lines = '2026-01-01T00:00:00Z {}\n2026-01-01T00:00:00.5Z {"a":"ä"}\n'
    digest = records_digest([(NOW, "{}"), (NOW + timedelta(milliseconds=500), '{"a":"ä"}')])
    assert digest == hashlib.sha256(lines.encode()).hexdigest()
    assert records_digest([]) == hashlib.sha256(b"").hexdigest()
