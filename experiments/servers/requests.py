"""Requests as a client of each protection makes them, ready to be written."""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Final, cast

import httpx

from crypto import KemAlgorithm, KemPrivateKey, PrivateKey, Request, SigningKey, encode_base64url, sign_request
from experiments.errors import ArmFailed
from experiments.servers.bearer import tokens
from experiments.servers.home import Home
from experiments.servers.keys import client_key
from experiments.servers.protection import Protection
from experiments.servers.route import PATH, raw
from secure_api.client import ClientError, Session, SignatureAuth

LIFETIME: Final = 300
HANDSHAKES: Final = "/v1/sessions"


@dataclass(slots=True)
class Client:
    """One client of one server."""

    protection: Protection
    authority: str
    content: bytes
    home: Home | None = None
    _session: SigningKey | None = field(default=None, init=False)

    @property
    def status(self) -> int:
        """The status of the answer to a good request."""
        return 201 if self.protection.kind == "handshake" else 200

    def messages(self, count: int) -> list[bytes]:
        """Make good requests, each for one use, unless the protection lets one be used again."""
        kind, algorithm = self.protection.kind, self.protection.algorithm
        if kind == "none":
            return [raw(self.authority, self.content, [])] * count
        if kind == "bearer":
            made = [
                raw(self.authority, self.content, [("authorization", f"Bearer {token}")])
                for token in tokens(algorithm, count if self.protection.once else 1)
            ]
            return made if self.protection.once else made * count
        if kind == "handshake":
            key = client_key(self.protection.signer)
            return [self._signed(key, handshake(KemAlgorithm(algorithm)), HANDSHAKES) for _ in range(count)]
        if kind == "session":
            self._session = self._session or self._open()
            return [self._signed(self._session, self.content, PATH) for _ in range(count)]
        return [self._signed(client_key(algorithm), self.content, PATH) for _ in range(count)]

    def _signed(self, key: SigningKey, content: bytes, path: str) -> bytes:
        headers = ((b"host", self.authority.encode()), (b"content-type", b"application/json"))
        request = Request(method="POST", scheme="http", authority=self.authority, path=path, query="", headers=headers)
        nonce = secrets.token_urlsafe(16)
        fields = sign_request(request, content, [key], created=int(time.time()), lifetime=LIFETIME, nonces=[nonce])
        return raw(self.authority, content, list(fields), path)

    def _open(self) -> SigningKey:
        if self.home is None:
            raise ArmFailed("a session needs the product's server")
        # A key of liboqs signs as well as one of ours, which is what the client asks for by name.
        key = cast(PrivateKey, client_key(self.protection.signer))
        session = Session(SignatureAuth(key, server_key=self.home.server_key))
        try:
            with httpx.Client(base_url=f"http://{self.authority}", auth=session, trust_env=False) as http:
                http.get("/v1/sessions").raise_for_status()
        except (ClientError, httpx.HTTPError) as error:
            raise ArmFailed(f"no session: {error}") from error
        if session.current is None:
            raise ArmFailed("the server opened no session")
        return session.current.keys.client_mac


def handshake(suite: KemAlgorithm) -> bytes:
    """Make the body of a handshake with a fresh ephemeral key."""
    ephemeral = KemPrivateKey.generate(suite)
    document = {"suite": suite.value, "public_key": encode_base64url(ephemeral.public_key.raw)}
    return json.dumps(document).encode()
