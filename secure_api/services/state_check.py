"""The tables against the ledger: nobody has a role, a key or a status that no entry tells of."""

from collections.abc import Iterator

from crypto import CryptoError, PublicKey, SignatureAlgorithm
from secure_api.data.database import ReadSession
from secure_api.data.present_state import PresentKey, read_present_state
from secure_api.domain.discrepancy import Discrepancy
from secure_api.domain.errors import StateTampered
from secure_api.domain.ledger_state import LedgerState


async def check_state(session: ReadSession, state: LedgerState) -> None:
    """Compare clients, keys, organizations, datasets and enrollment tokens with what the entries made.

    `session` sees the same moment as the entries that `state` was fed with.

    Raises:
        StateTampered: names every row that no entry made, or that is not as the entries made it.
    """
    present = await read_present_state(session)
    found = list(state.discrepancies)
    for table, rows in present.tables.items():
        found += state.compare(table, rows)
    found += _exchanged(present.keys)
    if found:
        raise StateTampered(tuple(found))


def _exchanged(keys: dict[str, PresentKey]) -> Iterator[Discrepancy]:
    """Name the keys whose keyid, which entries tell, is not the thumbprint of what is stored."""
    for keyid, key in keys.items():
        try:
            fits = PublicKey.from_raw(SignatureAlgorithm(key.algorithm), key.raw).keyid == keyid
        except (CryptoError, ValueError):
            fits = False
        if not fits:
            detail = f"Key {keyid}: the public key that is stored under this keyid is another one."
            yield Discrepancy("keys", keyid, None, detail)
