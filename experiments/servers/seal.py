"""Sealing requests to a server, and opening its answers, as the product's client does."""

import time
from typing import Self

import httpx

from crypto import CryptoError, PublicKey, Request, SealedType, SessionKeys, request_context, response_context
from experiments.errors import ArmFailed, CheckFailed
from experiments.servers.connections import Answer
from secure_api.client import ClientError, read_discovery
from secure_api.client.sealer import HpkeSealer, Sealer, SealingTarget, SessionSealer

_JSON = "application/json"


class Seal:
    """What seals the bodies of one client's requests; it opens the answer to the last of them."""

    def __init__(self, sealer: Sealer, keyid: str) -> None:
        self._sealer, self._keyid, self._context = sealer, keyid, b""
        self.content_type = sealer.sealed_type(_JSON).text

    @classmethod
    def within(cls, keys: SessionKeys) -> Self:
        """Seal under the keys of a session."""
        return cls(SessionSealer(keys), keys.session)

    @classmethod
    def to_server(cls, port: int, server_key: PublicKey, keyid: str) -> Self:
        """Seal by HPKE to the key that a server publishes; `keyid` signs the requests. Raises ArmFailed."""
        try:
            with httpx.Client(trust_env=False) as http:
                document = read_discovery(http.get(f"http://127.0.0.1:{port}/.well-known/secure-api"))
            target = SealingTarget.choose(document, server_key, time.time())
        except (ClientError, httpx.HTTPError) as error:
            raise ArmFailed(f"the server has no key to seal to: {error}") from error
        return cls(HpkeSealer(target), keyid)

    def close(self, request: Request, content: bytes, nonce: str) -> bytes:
        """Seal the body of a request."""
        self._context = request_context(request, content_type=self.content_type, keyid=self._keyid, nonce=nonce)
        return self._sealer.seal(content, self._context)

    def open(self, answer: Answer) -> bytes:
        """Open the answer to the last request. Raises CheckFailed: it is not sealed to this client."""
        content_type = answer.fields.get("content-type", "")
        try:
            sealed_type = SealedType.parse(content_type)
            context = response_context(self._context, status=answer.status, content_type=content_type)
            return self._sealer.open(sealed_type, answer.body, context)
        except CryptoError as error:
            raise CheckFailed(f"the answer is not sealed to the client: {error}") from error
