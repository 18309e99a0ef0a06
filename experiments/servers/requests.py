"""Requests as a client of each protection makes them, ready to be written."""

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final

from crypto import KemAlgorithm, KemPrivateKey, Request, SigningKey, encode_base64url, sign_request
from experiments.servers import sessions
from experiments.servers.bearer import tokens
from experiments.servers.keys import client_key, handshake_keys, server_key
from experiments.servers.message import Message
from experiments.servers.protection import Protection
from experiments.servers.route import PATH, body
from experiments.servers.seal import Seal

LIFETIME: Final = 300  # seconds: the longest that the product believes
_JSON: Final = "application/json"


@dataclass(slots=True)
class Client:
    """One client of one server; its requests have a JSON body of `size` bytes."""

    protection: Protection
    port: int
    size: int
    _sessions: sessions.Sessions = field(init=False)
    _seal: Seal | None = field(default=None, init=False)
    _offering: Iterator[SigningKey] = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a session."""
        self._sessions = sessions.Sessions(self.port)
        self._offering = cycle(handshake_keys())

    @property
    def authority(self) -> str:
        """What requests are addressed to."""
        return f"127.0.0.1:{self.port}"

    @property
    def status(self) -> int:
        """The status of the answer to a good request."""
        return 201 if self.protection.kind == "handshake" else 200

    def messages(self, count: int) -> Sequence[Message]:
        """Make good requests, each for one use, unless the protection lets one be used again. Raises ArmFailed."""
        match self.protection.kind:
            case "none":
                return [Message.compose(self.authority, PATH, (), body(self.size))] * count
            case "bearer":
                return self._with_tokens(count)
            case "handshake":
                suite = KemAlgorithm(self.protection.algorithm)
                return [self._signed(key, sessions.PATH, offer(suite)) for key in islice(self._offering, count)]
            case _:
                key, content = self._key(count), body(self.size)
                seal = self._sealing(key) if self.protection.sealed else None
                return [self._signed(key, PATH, content, seal) for _ in range(count)]

    def sealed(self) -> tuple[Message, Seal]:
        """Make one sealed request, with what opens the answer to it. Raises ArmFailed."""
        key = self._key(1)
        seal = self._sealing(key)
        return self._signed(key, PATH, body(self.size), seal), seal

    def _signed(self, key: SigningKey, path: str, content: bytes, seal: Seal | None = None) -> Message:
        nonce, content_type = secrets.token_urlsafe(16), _JSON if seal is None else seal.content_type
        headers = ((b"host", self.authority.encode()), (b"content-type", content_type.encode()))
        request = Request(method="POST", scheme="http", authority=self.authority, path=path, query="", headers=headers)
        if seal is not None:
            content = seal.close(request, content, nonce)
        fields = sign_request(request, content, [key], created=int(time.time()), lifetime=LIFETIME, nonces=[nonce])
        return Message.compose(self.authority, path, fields, content, content_type=content_type)

    def _with_tokens(self, count: int) -> Sequence[Message]:
        once, content = self.protection.once, body(self.size)
        made = [
            Message.compose(self.authority, PATH, [("authorization", f"Bearer {token}")], content)
            for token in tokens(self.protection.algorithm, count if once else 1)
        ]
        return made if once else made * count

    def _key(self, count: int) -> SigningKey:
        if self.protection.kind == "session":
            return self._sessions.keys(count).client_mac
        return client_key(self.protection.algorithm)

    def _sealing(self, key: SigningKey) -> Seal:
        if self.protection.kind == "session":
            return Seal.within(self._sessions.keys(0))
        if self._seal is None:
            self._seal = Seal.to_server(self.port, server_key().public_key, key.keyid)
        return self._seal


def offer(suite: KemAlgorithm) -> bytes:
    """Make the body of a handshake with a fresh ephemeral key."""
    ephemeral = KemPrivateKey.generate(suite)
    document = {"suite": suite.value, "public_key": encode_base64url(ephemeral.public_key.raw)}
    return json.dumps(document).encode()
