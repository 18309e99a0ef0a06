"""The product installed for an experiment: a home that heeds no environment, and clients whose keys are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crypto import PrivateKey, PublicKey
from experiments.errors import ArmFailed
from secure_api.data.clients import Client, add_client
from secure_api.data.database import Database
from secure_api.data.keys import NewKey, add_keys
from secure_api.data.organizations import OrganizationRepository
from secure_api.domain.clock import system_clock
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Role
from secure_api.services.installation import initialize
from secure_api.settings import Settings


def settings_of(home: Path, **chosen: Any) -> Settings:
    """Make the settings of a home: the product's defaults, room for sealed bodies, nothing of the environment."""
    return Settings(
        _env_prefix="NOT_OF_THE_ENVIRONMENT_",
        home=home,
        access_log=False,
        log_level="error",
        max_body_bytes=2 << 20,
        **chosen,
    )


async def install(database: Database, server_key: PrivateKey, admin: PublicKey, others: Sequence[PublicKey]) -> None:
    """Initialize a database with its first admin, and enroll a client for each of the other keys.

    Raises ArmFailed when what was initialized has no operator.
    """
    await initialize(database, operator="operator", admin_key=admin, server_key=server_key)
    now = system_clock()
    async with database.write() as transaction:
        operator = await OrganizationRepository(transaction).operator()
        if operator is None:
            raise ArmFailed("the home has no operator")
        for key in others:
            client = Client(new_identifier(), operator.id, key.keyid[:8], Role.CONTRIBUTOR, now)
            await add_client(transaction, client)
            await add_keys(
                transaction,
                [NewKey(key.keyid, key.algorithm.value, key.raw)],
                key_set=new_identifier(),
                client_id=client.id,
                organization_id=operator.id,
                created=now,
            )
