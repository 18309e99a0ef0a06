"""Members who are who they say they are, and reach for what is not theirs."""

from __future__ import annotations

import pytest

from crypto import SignatureAlgorithm
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.stage import dataset_body

TOKEN_FOR_RIVAL = b'{"organization":"rival","role":"contributor"}'
TOKEN_FOR_OWN = b'{"organization":"hospital","role":"admin"}'
TOKEN_FOR_OPERATOR = b'{"organization":"operator","role":"admin"}'
TOKEN_FOR_NOBODY = b'{"organization":"nobody","role":"admin"}'
DATASET = b'{"name":"shadow"}'
ORGANIZATION = b'{"name":"cartel"}'

#: Who asks for what, and is known but not allowed.
FORBIDDEN = [
    ("analyst", "POST", RECORDS, RECORD),
    ("analyst", "POST", "/v1/datasets", DATASET),
    ("analyst", "GET", "/v1/ledger", b""),
    ("analyst", "GET", "/v1/clients", b""),
    ("auditor", "GET", RECORDS, b""),
    ("auditor", "POST", RECORDS, RECORD),
    ("auditor", "POST", "/v1/tokens", TOKEN_FOR_OWN),
    ("victim", "POST", "/v1/tokens", TOKEN_FOR_OWN),
    ("victim", "POST", "/v1/organizations", ORGANIZATION),
    ("victim", "GET", "/v1/organizations", b""),
    ("victim", "GET", "/v1/clients", b""),
    ("victim", "GET", "/v1/ledger", b""),
    ("admin", "POST", "/v1/organizations", ORGANIZATION),
    ("admin", "GET", "/v1/organizations", b""),
    ("admin", "POST", "/v1/tokens", TOKEN_FOR_RIVAL),
    ("admin", "POST", "/v1/tokens", TOKEN_FOR_OPERATOR),
    ("admin", "POST", "/v1/tokens", TOKEN_FOR_NOBODY),
    ("rival_admin", "POST", "/v1/tokens", TOKEN_FOR_OWN),
]

#: Who asks for what of another organization, and is told that there is no such thing.
FOREIGN = [
    ("rival", "GET", RECORDS, b""),
    ("rival", "POST", RECORDS, RECORD),
    ("rival_admin", "GET", RECORDS, b""),
    ("rival_admin", "POST", RECORDS, RECORD),
    ("operator", "GET", RECORDS, b""),
    ("operator", "POST", RECORDS, RECORD),
]


def each(cases: list[tuple[str, str, str, bytes]]) -> pytest.MarkDecorator:
    """Run a test with every case, under a readable name."""
    params = [
        pytest.param(*case, id=f"{case[0]} {case[1]} {case[2]} {case[3].decode()[:60]}".rstrip()) for case in cases
    ]
    return pytest.mark.parametrize(("who", "method", "target", "body"), params)


@each(FORBIDDEN)
def test_a_role_is_not_overstepped(scene: Scene, who: str, method: str, target: str, body: bytes) -> None:
    message = scene.sign(getattr(scene, who), method, target, body)
    scene.refuse(message, 403, "forbidden", nonces=1)


@each(FOREIGN)
def test_another_organizations_dataset_is_not_there(
    scene: Scene, who: str, method: str, target: str, body: bytes
) -> None:
    refused = scene.refuse(scene.sign(getattr(scene, who), method, target, body), 404, "not-found", nonces=1)
    absent = scene.refuse(
        scene.sign(getattr(scene, who), method, target.replace("vitals", "nothing"), body), 404, "not-found", nonces=1
    )
    assert refused.json["detail"].replace("vitals", "nothing") == absent.json["detail"]


@pytest.mark.parametrize("who", ["rival", "rival_admin", "operator"])
def test_another_organizations_key_cannot_be_revoked(scene: Scene, who: str) -> None:
    target = f"/v1/keys/{scene.victim.key.keyid}"
    scene.refuse(scene.sign(getattr(scene, who), "DELETE", target), 404, "not-found", nonces=1)
    scene.accept(scene.forge().message())


@pytest.mark.parametrize("who", ["analyst", "classical", "auditor"])
def test_a_colleagues_key_cannot_be_revoked(scene: Scene, who: str) -> None:
    target = f"/v1/keys/{scene.victim.key.keyid}"
    scene.refuse(scene.sign(getattr(scene, who), "DELETE", target), 403, "forbidden", nonces=1)
    scene.accept(scene.forge().message())


def test_lists_show_ones_own_organization(scene: Scene) -> None:
    scene.ok(scene.victim, "POST", "/v1/datasets", dataset_body())
    member = scene.enroll_elsewhere()
    admin = scene.enroll(member.organization, "admin", SignatureAlgorithm.ML_DSA_44)
    assert scene.ok(member, "GET", "/v1/datasets") == {"datasets": []}
    clients = scene.ok(admin, "GET", "/v1/clients")["clients"]
    enrolled = {key["keyid"] for client in clients for key in client["keys"]}
    assert enrolled == {member.key.keyid, admin.key.keyid}
    entries = scene.ok(admin, "GET", "/v1/ledger?limit=1000")["entries"]
    assert [entry["kind"] for entry in entries] == ["client.enrolled"] * 2
    assert len({entry["organization_id"] for entry in entries}) == 1


def test_a_cursor_of_another_organization_opens_nothing(scene: Scene) -> None:
    scene.ok(scene.victim, "POST", RECORDS, b"[" + RECORD + b"," + RECORD + b"]")
    cursor = scene.ok(scene.victim, "GET", RECORDS + "?limit=1")["next"]
    scene.refuse(scene.sign(scene.rival, "GET", f"{RECORDS}?cursor={cursor}"), 404, "not-found", nonces=1)
    member = scene.enroll_elsewhere()
    scene.ok(member, "POST", "/v1/datasets", b'{"name":"vitals"}')
    assert scene.ok(member, "GET", f"{RECORDS}?cursor={cursor}") == {"records": [], "next": None}
