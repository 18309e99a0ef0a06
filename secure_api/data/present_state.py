"""What the tables that ledger entries tell of hold now, row by row: for the comparison with the ledger."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.ledger import UNREADABLE
from secure_api.data.models import ClientRow, DatasetRow, EnrollmentTokenRow, KeyRow, OrganizationRow
from secure_api.data.scoping import across_organizations
from secure_api.domain.discrepancy import Discrepancy
from secure_api.domain.errors import StateTampered

#: What the columns hold that do not hold text.
_TYPES = {"operator": bool, "spent": bool, "public_key": bytes}


@dataclass(frozen=True, slots=True)
class PresentKey:
    """A public key as stored: what its keyid is the thumbprint of."""

    algorithm: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class PresentState:
    """The rows by table and id, with the members that entries tell; and the public keys by keyid."""

    tables: dict[str, dict[str, dict[str, Any]]]
    keys: dict[str, PresentKey]


@across_organizations("the operator compares every organization's rows with the ledger")
async def read_present_state(session: AsyncSession) -> PresentState:
    """Read the tables.

    Raises:
        StateTampered: a table holds what cannot be read back.
    """
    tables: dict[str, Any] = {
        "organizations": select(OrganizationRow.id, OrganizationRow.name, OrganizationRow.operator),
        "clients": select(ClientRow.id, ClientRow.organization_id, ClientRow.role),
        "keys": select(
            KeyRow.keyid,
            KeyRow.organization_id,
            KeyRow.client_id,
            KeyRow.status,
            KeyRow.key_set,
            KeyRow.algorithm,
            KeyRow.public_key,
        ),
        "datasets": select(DatasetRow.id, DatasetRow.organization_id, DatasetRow.name),
        "enrollment_tokens": select(
            EnrollmentTokenRow.id,
            EnrollmentTokenRow.organization_id,
            EnrollmentTokenRow.role,
            EnrollmentTokenRow.used.is_not(None).label("spent"),
        ),
    }
    read = {table: await _read(session, table, statement) for table, statement in tables.items()}
    keys = read["keys"]
    present = {keyid: PresentKey(row.pop("algorithm"), row.pop("public_key")) for keyid, row in keys.items()}
    sets: defaultdict[str, list[str]] = defaultdict(list)
    for keyid, row in keys.items():
        sets[row["key_set"]].append(keyid)
    for row in keys.values():
        row["signs_with"] = sorted(sets[row.pop("key_set")])
    return PresentState(read, present)


async def _read(session: AsyncSession, table: str, statement: Select[Any]) -> dict[str, dict[str, Any]]:
    """Read rows; the first column is the id, the others are the members."""
    unreadable = StateTampered((Discrepancy(table, "", None, f"The table {table} holds what cannot be read."),))
    try:
        result = await session.execute(statement)
        rows = [dict(row._mapping) for row in result]
    except UNREADABLE as error:
        raise unreadable from error
    # SQLite lets a column hold values of any type.
    if not all(isinstance(value, _TYPES.get(name, str)) for row in rows for name, value in row.items()):
        raise unreadable
    return {row.pop(next(iter(row))): row for row in rows}
