"""Sealed bodies made and opened by hand, every bound part within reach: see docs/protocol.md, *Sealed bodies*."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto import SealingPrivateKey, SealingPublicKey
from tests.attacks.forgery import Forgery
from tests.attacks.handshake import Held, unbase64url
from tests.attacks.stage import Stage
from tests.attacks.wire import Reply
from tests.consortium import Message

MEDIA_TYPE = "application/vnd.secure-api.sealed"
JSON = "application/json"
DISCOVERY = "/.well-known/secure-api"


def sealed_type(algorithm: str, kid: str, inner: str = JSON) -> str:
    """The content type of a sealed body."""
    return f'{MEDIA_TYPE};alg={algorithm};kid={kid};type="{inner}"'


def bound(forgery: Forgery, **told: str) -> bytes:
    """What a request's sealed body is bound to; parts may be told to be others."""
    path, _, query = forgery.target.partition("?")
    parts = {
        "version": "secure-api sealed request v1",
        "method": forgery.method,
        "authority": forgery.authority,
        "path": path,
        "query": f"?{query}",
        "content_type": forgery.content_type or "",
        "keyid": forgery.parameters["keyid"].strip('"'),
        "nonce": forgery.parameters["nonce"].strip('"'),
    }
    assert told.keys() <= parts.keys()
    return "\n".join((parts | told).values()).encode()


def answer_bound(forgery: Forgery, status: int, content_type: str) -> bytes:
    """What the sealed body of the answer is bound to."""
    return f"secure-api sealed response v1\n{status}\n{content_type}\n".encode() + bound(forgery)


def seal_within(forgery: Forgery, held: Held, *, inner: str = JSON, key: bytes | None = None, **told: str) -> Forgery:
    """Seal a request's body under a session's keys, or under another key; parts of the context told as given."""
    named = forgery.but(content_type=sealed_type("aes-256-gcm", held.id, inner))
    nonce = secrets.token_bytes(12)
    aead = AESGCM(held.keys.client_aead if key is None else key)
    return named.but(body=nonce + aead.encrypt(nonce, forgery.body, bound(named, **told)))


def open_within(reply: Reply, request: Forgery, held: Held) -> Any:
    """Open the answer to a request that was sealed under a session's keys; returns its JSON."""
    content_type = reply.header("content-type")
    assert content_type.startswith(f"{MEDIA_TYPE};alg=aes-256-gcm;kid={held.id};type="), reply
    context = answer_bound(request, reply.status, content_type)
    return json.loads(AESGCM(held.keys.server_aead).decrypt(reply.body[:12], reply.body[12:], context))


@dataclass(frozen=True)
class Target:
    """A sealing key that the server publishes."""

    kid: str
    key: SealingPublicKey


def published(stage: Stage) -> Target:
    """The newest sealing key of the server."""
    unsigned = Message("GET", DISCOVERY, (("host", stage.server.authority),), b"")
    entry = stage.send(unsigned).json["sealing"]["keys"][0]
    return Target(entry["kid"], SealingPublicKey(unbase64url(entry["public_key"])))


def seal_to(
    forgery: Forgery, target: Target, reply_key: bytes | SealingPrivateKey, *, inner: str = JSON, **told: str
) -> Forgery:
    """Seal a request's body, behind the key for the answer, to a sealing key; parts of the context told as given."""
    prefix = reply_key if isinstance(reply_key, bytes) else reply_key.public_key
    named = forgery.but(content_type=sealed_type("hpke-x-wing", target.kid, inner))
    return named.but(body=target.key.seal(prefix + forgery.body, bound(named, **told)))


def open_reply(reply: Reply, request: Forgery, reply_key: SealingPrivateKey) -> Any:
    """Open the answer to a request that was sealed by HPKE; returns its JSON."""
    content_type = reply.header("content-type")
    assert content_type.startswith(f"{MEDIA_TYPE};alg=hpke-x-wing;kid=reply;type="), reply
    return json.loads(reply_key.open(reply.body, answer_bound(request, reply.status, content_type)))


def fresh_reply_key() -> SealingPrivateKey:
    """A key for one answer."""
    return SealingPrivateKey(secrets.token_bytes(32))
