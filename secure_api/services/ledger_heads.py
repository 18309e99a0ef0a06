"""Signed heads: those in the database, and those kept elsewhere, which alone show a ledger rolled back as a whole."""

from collections.abc import Mapping
from dataclasses import asdict

from pydantic import ValidationError

from crypto import PublicKey, VerificationError
from secure_api.data import ledger as table
from secure_api.data.database import Database
from secure_api.data.ledger import HeadFields
from secure_api.domain.errors import KeyUnusable, LedgerTampered
from secure_api.domain.ledger import LedgerHead


def believed(head: HeadFields, server_keys: Mapping[str, PublicKey]) -> LedgerHead:
    """Check a stored head's signature by the server's keys, given by keyid.

    Raises:
        LedgerTampered: none of them made it.
    """
    key = server_keys.get(head.keyid)
    try:
        if key is None:
            raise LedgerTampered(head.sequence, "changed", f"The head of entry {head.sequence} has an unknown key.")
        read = LedgerHead.model_validate(asdict(head))
        key.verify(head.signature, read.statement())
    except (VerificationError, ValidationError) as error:
        detail = f"The signed head of ledger entry {head.sequence} was changed."
        raise LedgerTampered(head.sequence, "changed", detail) from error
    return read


def check_signature(head: LedgerHead, server_keys: Mapping[str, PublicKey]) -> None:
    """Check the signature of a head that comes from elsewhere, by the server's keys, given by keyid.

    Raises:
        KeyUnusable: none of them made it, so that the head says nothing about this server's ledger.
    """
    key = server_keys.get(head.keyid)
    if key is None:
        known = ", ".join(server_keys)
        raise KeyUnusable(f"The head of entry {head.sequence} is signed by the key {head.keyid}, not by {known}.")
    try:
        key.verify(head.signature, head.statement())
    except VerificationError as error:
        raise KeyUnusable(f"The signature of the head of entry {head.sequence} is not the server's.") from error


async def newest_head(database: Database, server_keys: Mapping[str, PublicKey]) -> LedgerHead:
    """Read the newest stored head.

    Raises:
        LedgerTampered: there is none (`initialize` signs the first one), or the server did not sign it.
        DatabaseUnavailable: the database cannot be reached.
    """
    async with database.read() as session:
        head = await table.newest_head(session)
    if head is None:
        raise LedgerTampered(1, "removed", "The ledger has no signed head; init made the first one.")
    return believed(head, server_keys)
