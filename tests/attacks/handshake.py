"""Sessions opened by hand, each part of a handshake within reach: see docs/protocol.md, *Sessions*."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto import KemAlgorithm, KemPrivateKey, SessionKeys, session_secret, session_transcript
from tests.attacks.forgery import Forgery, joined
from tests.attacks.scene import Scene
from tests.attacks.stage import Member, dataset_body
from tests.attacks.wire import Reply
from tests.consortium import Message, server_key
from tests.services.fixtures.secure_api_server import SecureApiServer

SESSIONS = "/v1/sessions"


@dataclass(frozen=True)
class Held:
    """A session as its client holds it."""

    member: Member
    secret: bytes
    keys: SessionKeys
    answer: Mapping[str, Any]
    authority: str

    @property
    def id(self) -> str:
        """Its name."""
        return self.keys.session

    def forge(self, **changes: Any) -> Forgery:
        """A request within the session that creates a dataset, acceptable as it is."""
        changes = {"authority": self.authority, "body": dataset_body(), **changes}
        return Forgery(self.keys.client_mac, **changes)

    def message(self, **changes: Any) -> Message:
        """Such a request, signed."""
        return self.forge(**changes).message()


@dataclass(frozen=True)
class Handshake:
    """A handshake on its way: the request once for each key that signs it, and what its answer will be read with."""

    member: Member
    ephemeral: KemPrivateKey
    requests: Sequence[Forgery]
    signer: str  # the keyid that signs the answer
    previous: bytes = b""

    def message(self) -> Message:
        """The request."""
        return joined(*(request.message() for request in self.requests))

    def finish(self, reply: Reply, **parts: Any) -> Held:
        """Derive the session from the answer; `parts` of the transcript, or `previous`, may be told to be others."""
        answer = json.loads(reply.body)
        previous = parts.pop("previous", self.previous)
        told: dict[str, Any] = {
            "server_keyid": self.signer,
            "request_body": self.requests[0].body,
            "response_body": reply.body,
            "request_bases": [request.base() for request in self.requests],
        }
        shared = self.ephemeral.decapsulate(unbase64url(answer["ciphertext"]))
        secret = session_secret(shared, session_transcript(**{**told, **parts}), previous)
        keys = SessionKeys.derive(answer["id"], secret)
        return Held(self.member, secret, keys, answer, self.requests[0].authority)


def offer(
    scene: Scene,
    member: Member | None = None,
    suite: KemAlgorithm = KemAlgorithm.X_WING,
    server: SecureApiServer | None = None,
    **changes: Any,
) -> Handshake:
    """A handshake of a member (the victim), signed by all of its keys; `changes` are those of a forgery."""
    member, ephemeral = member or scene.victim, KemPrivateKey.generate(suite)
    authority = (server or scene.server).authority
    changes = {"target": SESSIONS, "body": offer_body(ephemeral), **changes}
    requests = [
        Forgery(key, authority, label=f"sig{number}", **changes) for number, key in enumerate(member.keys, start=1)
    ]
    return Handshake(member, ephemeral, requests, server_key().keyid)


def rekeying(held: Held, suite: KemAlgorithm = KemAlgorithm.X_WING, **changes: Any) -> Handshake:
    """A rekey of a session, signed within it."""
    ephemeral = KemPrivateKey.generate(suite)
    changes = {"target": f"{SESSIONS}/{held.id}/rekey", "body": offer_body(ephemeral), **changes}
    return Handshake(held.member, ephemeral, [held.forge(**changes)], held.id, held.keys.rekey)


def open_session(
    scene: Scene,
    member: Member | None = None,
    suite: KemAlgorithm = KemAlgorithm.X_WING,
    server: SecureApiServer | None = None,
) -> Held:
    """Open a session of a member (the victim)."""
    handshake = offer(scene, member, suite, server)
    return handshake.finish(scene.accept(handshake.message(), server=server))


def rekey(scene: Scene, held: Held) -> Held:
    """Replace a session by a fresh one."""
    handshake = rekeying(held)
    return handshake.finish(scene.accept(handshake.message()))


def offer_body(ephemeral: KemPrivateKey, **changes: str) -> bytes:
    """The body of a handshake."""
    body = {"suite": ephemeral.algorithm.value, "public_key": base64url(ephemeral.public_key.raw), **changes}
    return json.dumps(body).encode()


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
