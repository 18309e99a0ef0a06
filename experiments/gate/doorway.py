"""The product, put together by `create_app` in this process, and clients whose keys it knows."""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import httpx
from starlette.types import ASGIApp

from crypto import PrivateKey, SessionKeys, SignatureAlgorithm, SigningKey, VerificationKey, write_private_key
from experiments.errors import ArmFailed, Unavailable
from experiments.event_loop import new_event_loop
from experiments.installation import install, settings_of
from secure_api.api.middleware.signatures import SignatureMiddleware
from secure_api.api.server import Server
from secure_api.app import create_app
from secure_api.client import Session, SignatureAuth
from secure_api.data.database import Database
from secure_api.domain.clock import system_clock
from secure_api.domain.errors import ConfigurationError
from secure_api.services.authentication import Authenticator
from secure_api.services.session_keeper import SessionKeeper

AUTHORITY: Final = "api.example"
#: Seconds before now at which the store of nonces is opened: it believes no request that is older than itself.
HEAD_START: Final = 100
HMAC: Final = "hmac-sha256"
Provider = Literal["openssl", "oqs"]
T = TypeVar("T")


class Doorway:
    """The product in a new home in `folder`; ML-DSA is verified by `provider`.

    The home has SQLite and the nonces beside it, as `secure-api init` makes it; no variable of the environment is
    heeded. One process can have doorways of one provider only: the product chooses it for the whole process.
    """

    server: Server
    authenticator: Authenticator
    keeper: SessionKeeper
    session: SessionKeys
    _arguments: Mapping[str, Any]

    def __init__(self, folder: Path, provider: Provider) -> None:
        """Make and open the home. Raises Unavailable when the provider is not here."""
        home = folder / "home"
        home.mkdir(mode=0o700)
        self.settings = settings_of(
            home,
            crypto_provider=provider,
            session_lifetime=86_400,
            session_idle_timeout=86_400,
            session_max_requests=10_000_000,
            session_max_bytes=1 << 36,
        )
        try:
            self.settings.select_provider()
        except ConfigurationError as error:
            raise Unavailable(error.detail) from error
        # After the provider was chosen: keys keep the verifier that they were made with.
        self.keys = {algorithm.value: PrivateKey.generate(algorithm) for algorithm in SignatureAlgorithm}
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        try:
            self._runner.run(self._open())
        except BaseException:
            self._runner.close()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop that the product lives in."""
        return self._runner.run(work)

    def guarded(self, app: ASGIApp, **instead: Any) -> SignatureMiddleware:
        """Put the product's authentication in front of an application, with the arguments that `create_app` gives.

        Those in `instead` take the place of some.
        """
        return SignatureMiddleware(app, **{**self._arguments, **instead})

    def signing_key(self, algorithm: str) -> SigningKey:
        """The client's key of an algorithm, or of its session for `hmac-sha256`."""
        return self.session.client_mac if algorithm == HMAC else self.keys[algorithm]

    def verification_key(self, algorithm: str) -> VerificationKey:
        """What the server verifies by."""
        return self.session.client_mac if algorithm == HMAC else self.keys[algorithm].public_key

    def close(self) -> None:
        """Close the stores and end the loop."""
        try:
            self._runner.run(self._close())
        finally:
            self._runner.close()

    async def _open(self) -> None:
        self.settings.make_storage_key()
        server_key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
        write_private_key(self.settings.home / "server-key.pem", server_key, None)
        database = Database(self.settings.url)
        try:
            first, *others = (key.public_key for key in self.keys.values())
            await install(database, server_key, first, others)
        finally:
            await database.close()
        app = create_app(self.settings)
        self.server = app.state.server
        # What the product's lifespan does, but for its tasks in the background: nothing is swept within a window.
        await self.server.nonces.open(int(time.time()) - HEAD_START)
        await self.server.keyring.refresh()
        self.server.ready = True
        self._arguments = next(
            part.kwargs
            for part in app.user_middleware
            if isinstance(part.cls, type) and issubclass(part.cls, SignatureMiddleware)
        )
        self.authenticator = self._arguments["authenticator"]
        self.keeper = SessionKeeper(self.server.database, self.settings.read_storage_key(), clock=system_clock)
        auth = Session(SignatureAuth(self.keys["ml-dsa-65"], server_key=server_key.public_key))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{AUTHORITY}", auth=auth) as http:
            (await http.get("/v1/sessions")).raise_for_status()
        if auth.current is None:
            raise ArmFailed("the product opened no session")
        self.session = auth.current.keys

    async def _close(self) -> None:
        await self.server.nonces.close()
        await self.server.database.close()
