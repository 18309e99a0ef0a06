"""The first state of a server: schema, operator's organization, first admin."""

from dataclasses import dataclass

from crypto import PrivateKey, PublicKey
from secure_api.data.clients import Client, add_client
from secure_api.data.database import Database
from secure_api.data.keys import NewKey, add_keys
from secure_api.data.migrations import migrate
from secure_api.data.organizations import Organization, OrganizationRepository
from secure_api.domain.clock import Clock, system_clock
from secure_api.domain.errors import Conflict
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Role
from secure_api.services import ledger


@dataclass(frozen=True, slots=True)
class Installation:
    """What `initialize` made."""

    organization: str
    admin_client: str
    admin_keyid: str


async def initialize(
    database: Database,
    *,
    operator: str,
    admin_key: PublicKey,
    server_key: PrivateKey,
    clock: Clock = system_clock,
) -> Installation:
    """Migrate the database, create the operator's organization and its first admin, sign the ledger's first head.

    Raises:
        Conflict: the database was initialized before; nothing was changed.
        DatabaseUnavailable: the database cannot be reached.
    """
    await migrate(database)
    now = clock()
    async with database.write() as session:
        organizations = OrganizationRepository(session)
        if await organizations.operator() is not None:
            raise Conflict("The database is initialized already.")
        organization = Organization(new_identifier(), operator, operator=True, created=now)
        await organizations.add(organization)
        admin = Client(new_identifier(), organization.id, "admin", Role.ADMIN, now)
        await add_client(session, admin)
        await add_keys(
            session,
            [NewKey(admin_key.keyid, admin_key.algorithm.value, admin_key.raw)],
            key_set=new_identifier(),
            client_id=admin.id,
            organization_id=organization.id,
            created=now,
        )
        await ledger.append(
            session,
            time=now,
            kind="server.initialized",
            organization_id=organization.id,
            actor=admin.id,
            payload={
                "organization": organization.id,
                "name": operator,
                "admin": admin.id,
                "keyid": admin_key.keyid,
                "server_keyid": server_key.public_key.keyid,
            },
        )
    await ledger.sign_head(database, server_key, clock)
    return Installation(organization.name, admin.id, admin_key.keyid)
