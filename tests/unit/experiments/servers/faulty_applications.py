"""The route behind protections that have something wrong with them; each is given the folder of its server."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from crypto import Request, SignedRequest
from experiments.servers import bearer, message_signatures, ours, refusal, route
from experiments.servers.process import HOME, KEYS
from secure_api.data.nonce_file import FileNonceStore
from secure_api.services.authentication import Authenticator
from secure_api.services.exchange import Exchanger


def no_verification(_folder: Path) -> FastAPI:
    """Whoever asks gets in."""
    return route.make_app()


def nobody(_folder: Path) -> FastAPI:
    """Nobody gets in."""
    app = FastAPI()

    @app.post(route.PATH)
    async def refuse() -> Response:
        return Response(status_code=401)

    return app


def any_signature(folder: Path) -> FastAPI:
    """Signatures are parsed, nonces are spent, and the signature itself is taken for good."""
    from secure_api.services import authentication

    def believe(signed: SignedRequest, body: bytes, keys: Any) -> None:
        """Do nothing."""

    vars(authentication)["verify_request"] = believe
    return ours.build(folder / HOME)


def no_digest(folder: Path) -> FastAPI:
    """The signature is verified, and the body is not held against its digest."""
    from crypto import verification

    verification.verify_content_digest = lambda field, body: None  # type: ignore[attr-defined]
    return ours.build(folder / HOME)


def no_nonces(folder: Path) -> FastAPI:
    """Nonces are not spent."""

    async def spend(self: Authenticator, uses: Any) -> None:
        """Do nothing."""

    Authenticator._spend_uses = spend  # type: ignore[method-assign]
    return ours.build(folder / HOME)


def any_host(folder: Path) -> FastAPI:
    """The authority is what the client says it signed."""
    Request._normal_authority = lambda self: "127.0.0.1:" + self.authority.partition(":")[2]  # type: ignore[method-assign]
    return ours.build(folder / HOME)


def in_the_clear(folder: Path) -> Any:
    """Sealed requests get answers that are not sealed."""
    Exchanger.seal = lambda self, response, opened, session: response  # type: ignore[method-assign]
    return ours.build(folder / HOME)


def other_route(_folder: Path) -> FastAPI:
    """The route answers something else."""
    app = FastAPI()

    @app.post(route.PATH)
    async def echo() -> dict[str, int]:
        return {"count": -1}

    return app


def tokens_for_ever(folder: Path) -> FastAPI:
    """A token that is for one use can be used again."""
    return bearer.build(json.loads((folder / KEYS).read_text())["pem"], "EdDSA", once=False)


def no_memory(folder: Path) -> FastAPI:
    """http-message-signatures verifies, and nobody remembers what was used."""

    class Forgetful(message_signatures.Verification):
        def _spend(self, parameters: Any) -> None:
            """Do nothing."""

    message_signatures.Verification = Forgetful  # type: ignore[misc]
    raw = json.loads((folder / KEYS).read_text())["raw"]
    return message_signatures.build("ml-dsa-65", bytes.fromhex(raw), "openssl")


def memory_of_each_worker(folder: Path) -> FastAPI:
    """Every worker remembers nonces for itself."""
    from secure_api import app

    main = folder / HOME / "secure-api.db"
    vars(app)["nonce_store"] = lambda *_: FileNonceStore(main.with_suffix(f".{os.getpid()}"), main)
    return ours.build(folder / HOME)


def failing(_folder: Path) -> FastAPI:
    """It does not start."""
    sys.exit("there is no application, and nobody knows why")


def dying(_folder: Path) -> Any:
    """It ends in the middle of a request."""

    async def end(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            os._exit(3)
        await refusal.refuse(send)

    return end
