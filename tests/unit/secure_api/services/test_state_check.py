"""Tables against entries: whoever writes to the database gives himself no right that `verify` does not name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.data.database import Database
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.domain.caller import Caller
from secure_api.domain.clock import system_clock
from secure_api.domain.errors import LedgerTampered, StateTampered
from secure_api.domain.limits import Limits
from secure_api.domain.roles import Role
from secure_api.domain.strict_json import JsonValue
from secure_api.services import datasets
from secure_api.services.enrollment import enroll, revoke, rotate
from secure_api.services.ledger import append
from secure_api.services.ledger_verification import verify
from secure_api.services.organizations import create_organization, issue_token
from secure_api.services.work import Work
from tests.consortium import server_key

pytestmark = pytest.mark.anyio

TRUSTED = {server_key().public_key.keyid: server_key().public_key}
PQ, PQ_NEXT = (PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_44, bytes([n]) * 32).public_key for n in (1, 2))
ED, ED_NEXT, OTHER = (PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes([n]) * 32).public_key for n in (3, 4, 5))


async def admin_of(database: Database) -> Caller:
    async with database.read() as session:
        client, organization = (await session.execute(text("SELECT id, organization_id FROM clients"))).one()
    return Caller(client, organization, "operator", Role.ADMIN, True, ())


async def live(database: Database) -> None:
    """Entries 2 to 9: an organization, two tokens, a hybrid client that rotates its keys, a dataset, a revoked key."""
    admin = await admin_of(database)
    async with database.write() as session:
        work = Work(session, admin, system_clock, Limits(), DatabaseNonceStore(database))
        await create_organization(work, "clinic")
        token = await issue_token(work, "clinic", Role.CONTRIBUTOR, timedelta(hours=1))
        await issue_token(work, "clinic", Role.ANALYST, timedelta(hours=1))
        client = await enroll(session, system_clock, token.token, None, [PQ, ED])
        organization = str(await session.scalar(text("SELECT id FROM organizations WHERE name = 'clinic'")))
        keyids = (PQ.keyid, ED.keyid)
        member = Caller(client.id, organization, "clinic", Role.CONTRIBUTOR, False, keyids)
        await rotate(Work(session, member, system_clock, Limits(), DatabaseNonceStore(database)), [PQ_NEXT, ED_NEXT])
        await datasets.create_dataset(
            Work(session, member, system_clock, Limits(), DatabaseNonceStore(database)), "vitals"
        )
        other = await issue_token(work, "operator", Role.AUDITOR, timedelta(hours=1))
        await enroll(session, system_clock, other.token, None, [OTHER])
        await revoke(work, OTHER.keyid)


async def execute(database: Database, statement: str) -> int:
    """Change the database as somebody would who has it in his hands."""
    async with database.write() as session:
        return (await (await session.connection()).exec_driver_sql(statement)).rowcount


CLIENT = "(SELECT client_id FROM keys WHERE keyid = '{}')"
COPY_KEY = (
    "INSERT INTO keys (keyid, organization_id, client_id, key_set, algorithm, public_key, status, created) "
    "SELECT 'mallory', organization_id, client_id, 'x', algorithm, public_key, 'active', created FROM keys "
    f"WHERE keyid = '{OTHER.keyid}'"
)
TAMPERING: dict[str, tuple[str, str, str, int | None, str]] = {
    # What is done; then of the first finding: the table, the row (of a name that is known before), the entry, a word.
    "revoked key active": (
        f"UPDATE keys SET status = 'active' WHERE keyid = '{OTHER.keyid}'",
        "keys", OTHER.keyid, 10, "has status active; ledger entry 10 says revoked",
    ),
    "rotated key active": (
        f"UPDATE keys SET status = 'active' WHERE keyid = '{PQ.keyid}'",
        "keys", PQ.keyid, 6, "has status active; ledger entry 6 says rotated",
    ),
    "active key revoked": (
        f"UPDATE keys SET status = 'revoked' WHERE keyid = '{PQ_NEXT.keyid}'",
        "keys", PQ_NEXT.keyid, 6, "has status revoked; ledger entry 6 says active",
    ),
    "key of another client": (
        f"UPDATE keys SET client_id = {CLIENT.format(PQ.keyid)} WHERE keyid = '{OTHER.keyid}'",
        "keys", OTHER.keyid, 10, "has client_id ",
    ),
    "half of a hybrid pair on its own": (
        f"UPDATE keys SET key_set = 'x' WHERE keyid = '{PQ_NEXT.keyid}'",
        "keys", PQ_NEXT.keyid, 6, "has signs_with ",
    ),
    "public key exchanged": (
        f"UPDATE keys SET public_key = (SELECT public_key FROM keys WHERE keyid = '{ED.keyid}') "
        f"WHERE keyid = '{OTHER.keyid}'",
        "keys", OTHER.keyid, None, "the public key that is stored under this keyid is another one",
    ),
    "key of an unknown algorithm": (
        f"UPDATE keys SET algorithm = 'none' WHERE keyid = '{OTHER.keyid}'",
        "keys", OTHER.keyid, None, "is another one",
    ),
    "key smuggled in": (COPY_KEY, "keys", "mallory", None, "no ledger entry made it"),
    "key removed": (
        f"DELETE FROM keys WHERE keyid = '{OTHER.keyid}'", "keys", OTHER.keyid, 10, "is not in the database",
    ),
    "role raised": (
        f"UPDATE clients SET role = 'admin' WHERE id = {CLIENT.format(OTHER.keyid)}",
        "clients", "", 9, "has role admin; ledger entry 9 says auditor",
    ),
    "client moved to another organization": (
        "UPDATE clients SET organization_id = (SELECT id FROM organizations WHERE name = 'clinic') "
        f"WHERE id = {CLIENT.format(OTHER.keyid)}",
        "clients", "", 9, "has organization_id ",
    ),
    "client smuggled in": (
        "INSERT INTO clients (id, organization_id, role, created) "
        "SELECT 'mallory', organization_id, 'admin', created FROM clients WHERE role = 'admin'",
        "clients", "mallory", None, "no ledger entry made it",
    ),
    "operator's rights": (
        "UPDATE organizations SET operator = true WHERE name = 'clinic'",
        "organizations", "", 2, "has operator True; ledger entry 2 says False",
    ),
    "organization renamed": (
        "UPDATE organizations SET name = 'evil' WHERE name = 'clinic'",
        "organizations", "", 2, "has name evil; ledger entry 2 says clinic",
    ),
    "dataset moved": (
        "UPDATE datasets SET organization_id = (SELECT id FROM organizations WHERE name = 'operator')",
        "datasets", "", 7, "has organization_id ",
    ),
    "token that grants more": (
        "UPDATE enrollment_tokens SET role = 'admin' WHERE role = 'analyst'",
        "enrollment_tokens", "", 4, "has role admin; ledger entry 4 says analyst",
    ),
    "spent token fresh again": (
        "UPDATE enrollment_tokens SET used = NULL WHERE role = 'auditor'",
        "enrollment_tokens", "", 9, "has spent False; ledger entry 9 says True",
    ),
}  # fmt: skip


async def test_what_was_lived_through_verifies(database: Database) -> None:
    await live(database)
    assert (await verify(database, TRUSTED)).entries == 10


@pytest.mark.parametrize("case", TAMPERING)
async def test_a_row_that_no_entry_made_so_is_named(database: Database, case: str) -> None:
    statement, table, row, sequence, words = TAMPERING[case]
    await live(database)
    assert await execute(database, statement) == 1
    with pytest.raises(StateTampered) as found:
        await verify(database, TRUSTED, with_records=False)
    first = next(item for item in found.value.discrepancies if item.table == table and row in {"", item.row})
    assert (first.sequence, words in first.detail) == (sequence, True), first.detail
    assert found.value.discrepancies[0].detail == str(found.value)


async def test_every_row_is_named_at_once(database: Database) -> None:
    await live(database)
    assert await execute(database, "UPDATE keys SET status = 'active' WHERE status <> 'active'") == 3
    with pytest.raises(StateTampered) as found:
        await verify(database, TRUSTED)
    assert {item.row for item in found.value.discrepancies} == {PQ.keyid, ED.keyid, OTHER.keyid}


async def test_a_client_enrolled_by_a_token_that_nobody_issued(database: Database) -> None:
    """The row of the token is gone again: the entry of the enrollment that it served still tells."""
    admin = await admin_of(database)
    async with database.write() as session:
        work = Work(session, admin, system_clock, Limits(), DatabaseNonceStore(database))
        token = await issue_token(work, "operator", Role.ANALYST, timedelta(hours=1))
    assert await execute(database, "UPDATE enrollment_tokens SET role = 'admin'") == 1
    async with database.write() as session:
        client = await enroll(session, system_clock, token.token, None, [OTHER])
    with pytest.raises(StateTampered) as found:
        await verify(database, TRUSTED)
    assert [(item.table, item.row, item.sequence) for item in found.value.discrepancies] == [("clients", client.id, 3)]
    assert f"enrolled it with token {token.id}, which grants no such thing" in str(found.value)


async def test_a_rotation_of_a_key_that_nobody_enrolled(database: Database) -> None:
    admin = await admin_of(database)
    async with database.write() as session:
        payload: dict[str, JsonValue] = {"old": ["mallory"], "new": []}
        await append(
            session,
            time=system_clock(),
            kind="keys.rotated",
            organization_id=admin.organization_id,
            actor=admin.client_id,
            payload=payload,
        )
    with pytest.raises(StateTampered, match="Key mallory: ledger entry 2 calls it rotated, and it was not active"):
        await verify(database, TRUSTED)


@pytest.mark.parametrize("payload", [{}, {"keyid": 7}, {"keyid": ["x"]}])
async def test_an_entry_that_is_not_of_its_kind(database: Database, payload: dict[str, JsonValue]) -> None:
    async with database.write() as session:
        await append(
            session,
            time=system_clock(),
            kind="key.revoked",
            organization_id=None,
            actor=None,
            payload=payload,
        )
    with pytest.raises(LedgerTampered, match=r"Ledger entry 2 does not have the form of key\.revoked"):
        await verify(database, TRUSTED)


@pytest.mark.parametrize("change", ["public_key = 'x'", "public_key = 7", "keyid = x'00'", "key_set = x'00'"])
async def test_what_cannot_be_read_is_named(database: Database, change: str) -> None:
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL keeps to the types of its columns")
    assert await execute(database, f"UPDATE keys SET {change}") == 1
    with pytest.raises(StateTampered, match="The table keys holds what cannot be read"):
        await verify(database, TRUSTED)
