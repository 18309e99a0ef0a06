"""PyPI `http-message-signatures` in the place of our verification: what a careful user of it would write.

As ours: the six components, created, expires, nonce, keyid, alg and tag, the body's digest, the body read whole. In its
favor: the key object is made once, nonces live in a dict of the process, nobody asks whether the key is revoked, there
are no limits, and it is plain ASGI.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from crypto import COMPONENTS, TAG, CryptoError, PublicKey, SignatureAlgorithm
from crypto.providers import select_provider
from experiments.servers.refusal import refuse
from experiments.servers.route import make_app

LIFETIME: Final = 300
SKEW: Final = 5
_REQUIRED: Final = frozenset({"created", "expires", "nonce", "keyid", "alg", "tag"})


class Message:
    """A request in the form that the library reads."""

    def __init__(self, scope: Scope) -> None:
        self.method = scope["method"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("ascii")
        target = scope["raw_path"].decode("ascii") + (f"?{query}" if query else "")
        self.url = f"{scope['scheme']}://{self.headers['host']}{target}"


class Verification:
    """Let in what the library believes, once."""

    def __init__(self, app: ASGIApp, *, verify: Callable[[Message, bytes], Any]) -> None:
        self._app, self._verify = app, verify
        self._spent: dict[tuple[str, str], int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        chunks, more = [], True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            chunks.append(event.get("body", b""))
            more = event.get("more_body", False)
        body = b"".join(chunks)
        try:
            self._spend(self._verify(Message(scope), body))
        except Exception:  # the library and its dependencies raise many kinds
            await refuse(send)
            return
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Any:
            return given.pop() if given else await receive()

        await self._app(scope, replay, send)

    def _spend(self, parameters: Any) -> None:
        if not parameters.keys() >= _REQUIRED or not 0 < parameters["expires"] - parameters["created"] <= LIFETIME:
            raise CryptoError("a parameter is missing, or the window is too long")
        use = (parameters["keyid"], parameters["nonce"])
        if use in self._spent:
            raise CryptoError("replayed")
        self._spent[use] = parameters["expires"] + SKEW


def build(algorithm: str, public_key: bytes, provider: str) -> FastAPI:
    """Make the application that believes signatures of one key, which `provider` verifies."""
    from http_message_signatures import HTTPMessageVerifier, HTTPSignatureAlgorithm, HTTPSignatureKeyResolver

    select_provider(provider)
    known = PublicKey.from_raw(SignatureAlgorithm(algorithm), public_key)

    class Algorithm(HTTPSignatureAlgorithm):
        algorithm_id = algorithm

        def __init__(self, public_key: Any = None, private_key: Any = None) -> None:
            self.public_key = public_key

        def verify(self, signature: bytes, message: bytes) -> None:
            self.public_key.verify(signature, message)

    class Keys(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> PublicKey:
            return {known.keyid: known}[key_id]

        def resolve_private_key(self, key_id: str) -> Any:
            raise CryptoError(f"nobody signs here, not {key_id} either")

    verifier = HTTPMessageVerifier(signature_algorithm=Algorithm, key_resolver=Keys())

    def verify(message: Message, body: bytes) -> Any:
        (result,) = verifier.verify(
            message,
            max_age=timedelta(seconds=LIFETIME),
            expect_tag=TAG,
            require_components=COMPONENTS,
            body=body,
        )
        return result.parameters

    app = make_app()
    app.add_middleware(Verification, verify=verify)
    return app
