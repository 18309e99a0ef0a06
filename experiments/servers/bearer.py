"""PyJWT bearer tokens in front of the route: what most APIs do. A token says who sent a request, not what it says.

In their favor: the key object is made once, the check is plain ASGI, spent tokens are a set in the process's memory,
and the body is not authenticated at all.
"""

import secrets
import time
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from experiments.errors import Unavailable
from experiments.servers.refusal import refuse
from experiments.servers.route import make_app

AUDIENCE: Final = "secure-api-experiments"
ISSUER: Final = "experiments"
LIFETIME: Final = 300


class Bearer:
    """Let in requests with a valid token; each token once, when `once` says so."""

    def __init__(self, app: ASGIApp, *, key: Any, algorithm: str, once: bool) -> None:
        self._app, self._key, self._algorithms, self._once = app, key, [algorithm], once
        self._required = ["exp", "iat", "aud", "iss", "sub", *(["jti"] if once else [])]
        self._spent: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and not self._believes(scope):
            await refuse(send)
            return
        await self._app(scope, receive, send)

    def _believes(self, scope: Scope) -> bool:
        import jwt

        value = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = value.partition(b" ")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=self._algorithms,
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": self._required},
            )
        except jwt.PyJWTError:
            return False
        if scheme != b"Bearer" or (self._once and claims["jti"] in self._spent):
            return False
        if self._once:
            self._spent.add(claims["jti"])
        scope.setdefault("state", {})["caller"] = claims["sub"]
        return True


def build(public_pem: str, algorithm: str, *, once: bool) -> FastAPI:
    """Make the application that believes tokens of one key."""
    app = make_app()
    app.add_middleware(Bearer, key=load_pem_public_key(public_pem.encode()), algorithm=algorithm, once=once)
    return app


@cache
def token_key(algorithm: str) -> Any:
    """Give this process's key for tokens. Raises Unavailable when PyJWT is not installed."""
    try:
        import jwt  # noqa: F401 - asked for before a server needs it
    except ModuleNotFoundError as error:
        raise Unavailable("PyJWT is not installed: it is in the extra secure-api[experiments]") from error
    return rsa.generate_private_key(65_537, 2048) if algorithm == "RS256" else ed25519.Ed25519PrivateKey.generate()


def public_pem(algorithm: str) -> str:
    """Give the public part of that key."""
    pem: bytes = token_key(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def tokens(algorithm: str, count: int) -> list[str]:
    """Make tokens that are good for five minutes, each with a name of its own."""
    import jwt

    key, now = token_key(algorithm), int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "client", "iat": now, "exp": now + LIFETIME}
    return [jwt.encode(claims | {"jti": secrets.token_urlsafe(16)}, key, algorithm=algorithm) for _ in range(count)]
