"""The members of a consortium of two organizations, and requests of theirs that attacks begin with."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from crypto import SignatureAlgorithm
from tests.attacks.forgery import Forgery
from tests.attacks.stage import Member, Stage, dataset_body
from tests.services.fixtures.secure_api_server import SecureApiServer

#: A dataset of the victim's organization.
RECORDS = "/v1/datasets/vitals/records"
RECORD = b'{"time":"2026-11-22T09:30:00Z","attributes":{"pulse":61}}'


@dataclass(frozen=True)
class Scene(Stage):
    """The stage with its actors; all but the rivals belong to one organization."""

    admin: Member
    victim: Member
    classical: Member
    hybrid: Member
    analyst: Member
    auditor: Member
    rival: Member
    rival_admin: Member

    def forge(self, member: Member | None = None, **changes: Any) -> Forgery:
        """A request of a member (the victim) that creates a dataset, acceptable as it is."""
        changes = {"authority": self.server.authority, "body": dataset_body(), **changes}
        return Forgery((member or self.victim).key, **changes)

    def forge_hybrid(self) -> tuple[Forgery, Forgery]:
        """A request of the hybrid member, once for each of its keys: ML-DSA, then Ed25519."""
        first = self.forge(self.hybrid)
        return first, Forgery(self.hybrid.keys[1], first.authority, body=first.body, label="sig2")

    def enroll_elsewhere(self) -> Member:
        """Enroll the first contributor of a new organization."""
        name = f"other-{secrets.token_hex(8)}"
        self.ok(self.operator, "POST", "/v1/organizations", b'{"name":"%b"}' % name.encode())
        return self.enroll(name, "contributor", SignatureAlgorithm.ML_DSA_44)


def prepare(server: SecureApiServer, other: SecureApiServer) -> Scene:
    """Fill the consortium through the API."""
    stage = Stage(server, other)
    for organization in (b"hospital", b"rival"):
        stage.ok(stage.operator, "POST", "/v1/organizations", b'{"name":"%b"}' % organization)
    pq, classical = SignatureAlgorithm.ML_DSA_44, SignatureAlgorithm.ED25519
    scene = Scene(
        server,
        other,
        admin=stage.enroll("hospital", "admin", pq),
        victim=stage.enroll("hospital", "contributor", pq),
        classical=stage.enroll("hospital", "contributor", classical),
        hybrid=stage.enroll("hospital", "contributor", pq, classical),
        analyst=stage.enroll("hospital", "analyst", pq),
        auditor=stage.enroll("hospital", "auditor", pq),
        rival=stage.enroll("rival", "contributor", pq),
        rival_admin=stage.enroll("rival", "admin", pq),
    )
    scene.ok(scene.victim, "POST", "/v1/datasets", b'{"name":"vitals"}')
    scene.ok(scene.victim, "POST", RECORDS, RECORD)
    return scene
