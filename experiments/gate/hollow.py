"""What is left of the authentication when its parts are taken out: coroutines, the policy, the caller, the body."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from experiments.gate.doorway import Doorway
from experiments.gate.prepared import Prepared
from experiments.gate.whole import Whole
from secure_api.api.middleware import signatures
from secure_api.data.nonces import NonceUse
from secure_api.domain.clock import system_clock
from secure_api.services import authentication
from secure_api.services.authentication import Authenticator


class NoNonces:
    """A store of nonces that believes everybody."""

    async def open(self, now: int) -> None:
        """Do nothing."""

    async def ping(self) -> None:
        """Do nothing."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Believe them."""

    async def forget(self, keyids: Sequence[str], now: int) -> None:
        """Do nothing."""

    async def sweep(self, now: int) -> int:
        """Do nothing."""
        return 0

    async def close(self) -> None:
        """Do nothing."""


class Hollow(Whole):
    """The product's authentication with parsing, digest, signature base, verification and nonces taken out.

    Only `within` are they out, so nothing else may run in this process meanwhile. Finding the key stays in, as there is
    nothing else to go on with; it is a tenth of a microsecond.
    """

    def __init__(self, door: Doorway) -> None:
        settings, server = door.settings, door.server
        authenticator = Authenticator(
            server.database,
            NoNonces(),
            door.keeper,
            profile=settings.profile(),
            policy=settings.signature_policy,
            algorithms=settings.signature_algorithms,
            authorities=settings.authorities,
            clock=system_clock,
        )
        super().__init__(door, authenticator=authenticator)
        self._present: Prepared | None = None

    async def step(self, p: Prepared) -> bytes | None:
        """Let one request through; gives the body that the application read. Raises Refused."""
        self._present = p
        return await super().step(p)

    @contextmanager
    def within(self) -> Iterator[None]:
        """Take the parts out for a while; what they would have found is what they found before."""

        def request(_scope: object) -> Any:
            return self._present.request if self._present else None

        def opened(_request: object, _profile: object, _now: object) -> Any:
            return self._present.signed if self._present else None

        def verified(_signed: object, _body: object, _keys: object) -> None:
            return None

        with (
            patch.object(signatures, "request_of", request),
            patch.multiple(authentication, open_request=opened, verify_request=verified),
        ):
            yield
