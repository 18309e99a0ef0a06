"""What a service needs to act for a caller: a session, the caller, the time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from secure_api.data.database import ReadSession, WriteSession
from secure_api.data.nonces import NonceStore
from secure_api.domain.caller import Caller
from secure_api.domain.clock import Clock
from secure_api.domain.ledger import LedgerEntry
from secure_api.domain.limits import Limits
from secure_api.domain.strict_json import JsonValue
from secure_api.services import ledger


@dataclass(frozen=True, slots=True)
class View:
    """A caller's read of the database."""

    session: ReadSession | WriteSession
    caller: Caller
    clock: Clock
    limits: Limits


@dataclass(frozen=True, slots=True)
class Work:
    """A caller's transaction. The request that opened it commits it; services never do."""

    session: WriteSession
    caller: Caller
    clock: Clock
    limits: Limits
    nonces: NonceStore
    ended: list[str] = field(default_factory=list)

    async def ending(self, names: Sequence[str]) -> None:
        """Say that keys or sessions end with this transaction: they are refused from now on.

        Raises:
            DatabaseUnavailable: the store of nonces cannot be told; then nothing may end.
        """
        if names:
            self.ended.extend(names)
            await self.nonces.forget(names, int(self.clock().timestamp()))

    async def record(self, kind: str, payload: dict[str, JsonValue]) -> LedgerEntry:
        """Append a ledger entry for what the caller does, in the same transaction."""
        return await ledger.append(
            self.session,
            time=self.clock(),
            kind=kind,
            organization_id=self.caller.organization_id,
            actor=self.caller.client_id,
            payload=payload,
        )
