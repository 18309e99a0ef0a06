"""Running servers on one database, how to send to them, and what must hold after an attack."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crypto import PrivateKey, SignatureAlgorithm
from tests.attacks import snapshot
from tests.attacks.wire import Reply, exchange
from tests.consortium import OPERATOR, Message, admin_key, compose, enrollment
from tests.services.fixtures.secure_api_server import SecureApiServer

PROBLEM = "urn:problem-type:secure-api:"

#: What of a response is its own: the date, and the request's id.
_VOLATILE = {"date", "x-request-id"}
_INSTANCE = re.compile(rb'"urn:request-id:([0-9a-f-]{32,36})"')


@dataclass(frozen=True)
class Member:
    """An enrolled client: it signs with all of its keys."""

    organization: str
    keys: Sequence[PrivateKey]

    @property
    def key(self) -> PrivateKey:
        """Its only key, or its first."""
        return self.keys[0]


@dataclass(frozen=True)
class Stage:
    """Two servers on one database, `server` with two workers and `other` with one."""

    server: SecureApiServer
    other: SecureApiServer

    @property
    def operator(self) -> Member:
        """The first admin."""
        return Member(OPERATOR, [admin_key()])

    def state(self) -> snapshot.Snapshot:
        """What the database holds."""
        return snapshot.take(self.server.url)

    def sign(self, member: Member, method: str, target: str, body: bytes = b"", **options: Any) -> Message:
        """A request of a member, signed by the product's own signer."""
        options.setdefault("authority", self.server.authority)
        keys = options.pop("keys", member.keys)
        return compose(keys, method, target, body, now=datetime.now(UTC), **options)

    def send(self, message: Message, server: SecureApiServer | None = None) -> Reply:
        """Send a message over a connection of its own."""
        return exchange((server or self.server).port, message)

    def ok(self, member: Member, method: str, target: str, body: bytes = b"", **options: Any) -> Any:
        """Send a request that must succeed; returns its JSON."""
        reply = self.send(self.sign(member, method, target, body, **options))
        assert 200 <= reply.status < 300, reply
        return reply.json if reply.body else None

    def accept(self, message: Message, status: int = 201, server: SecureApiServer | None = None) -> Reply:
        """Send what must be believed, so that the refusal of its spoilt copy means something."""
        reply = self.send(message, server)
        assert reply.status == status, reply
        return reply

    def disbelieve(self, message: Message, *reasons: str, server: SecureApiServer | None = None) -> None:
        """Send what must not be believed: nothing is stored, no nonce is spent, and only the log tells the reason."""
        before = self.state()
        reply = self.send(message, server)
        assert self.state() == before
        self.assert_opaque(reply, *reasons)

    def assert_opaque(self, reply: Reply, *reasons: str) -> None:
        """Check that a reply is the one refusal, byte for byte, and that the log has one of the reasons for it."""
        assert reply.status == 401, reply
        request_id = self.request_id(reply)
        found = {server.refusal(request_id) for server in (self.server, self.other)} - {None}
        assert len(found) == 1, reply
        assert found <= set(reasons), (found, reasons)
        reference = self.send(Message("GET", "/v1/datasets", (("host", self.server.authority),), b""))
        assert _INSTANCE.sub(b'""', reply.body) == _INSTANCE.sub(b'""', reference.body)
        assert _stable(reply) == _stable(reference)
        assert reply.json["type"] == PROBLEM + "authentication-failed"

    def request_id(self, reply: Reply) -> str:
        """The id by which the log knows a refused request."""
        match = _INSTANCE.search(reply.body)
        assert match is not None, reply.body
        return match[1].decode()

    def refuse(self, message: Message, status: int, slug: str, *, nonces: int = 0) -> Reply:
        """Send what must be refused with a problem: nothing is stored, and only so many nonces are spent."""
        before = self.state()
        reply = self.send(message)
        self.assert_unchanged(before, nonces)
        assert (reply.status, reply.json["type"]) == (status, PROBLEM + slug), reply
        return reply

    def assert_unchanged(self, before: snapshot.Snapshot, nonces: int = 0) -> None:
        """Check that nothing was stored since, except for so many nonces."""
        after = self.state()
        assert (after.tables, after.ledger_tip) == (before.tables, before.ledger_tip)
        assert after.nonces.rows == before.nonces.rows + nonces

    def token(self, organization: str, role: str, **options: Any) -> str:
        """Let the operator issue an enrollment token."""
        body = json.dumps({"organization": organization, "role": role, **options}).encode()
        token: str = self.ok(self.operator, "POST", "/v1/tokens", body)["token"]
        return token

    def enroll(self, organization: str, role: str, *algorithms: SignatureAlgorithm) -> Member:
        """Enroll a new client of an organization that is there."""
        keys = [PrivateKey.generate(algorithm) for algorithm in algorithms]
        member = Member(organization, keys)
        self.ok(member, "POST", "/v1/clients", enrollment_body(self.token(organization, role), keys))
        return member


def dataset_body() -> bytes:
    """A body that creates a dataset which is not there yet."""
    return b'{"name":"made-%b"}' % secrets.token_hex(8).encode()


def enrollment_body(token: str, keys: Sequence[PrivateKey]) -> bytes:
    """The body that enrolls keys."""
    return json.dumps(enrollment(token, keys)).encode()


def _stable(reply: Reply) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in reply.headers if name.lower() not in _VOLATILE]
