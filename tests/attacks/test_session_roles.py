"""What a session may do: what its client may, but for what needs the client's own keys."""

from __future__ import annotations

import pytest

from crypto import PrivateKey, SignatureAlgorithm
from tests.attacks.forgery import Forgery, joined
from tests.attacks.handshake import SESSIONS, offer, open_session, rekey
from tests.attacks.scene import Scene
from tests.attacks.stage import enrollment_body
from tests.attacks.test_keys import rotation
from tests.attacks.test_roles import FORBIDDEN, FOREIGN, each

ML_DSA_44 = SignatureAlgorithm.ML_DSA_44
NOT_ALLOWED = "session-not-allowed"
OTHERS = ["rival", "rival_admin", "operator"]


@each(FORBIDDEN)
def test_a_role_is_not_overstepped(scene: Scene, who: str, method: str, target: str, body: bytes) -> None:
    held = open_session(scene, getattr(scene, who))
    scene.refuse(held.message(method=method, target=target, body=body), 403, "forbidden", nonces=1)


@each(FOREIGN)
def test_another_organizations_dataset_is_not_there(
    scene: Scene, who: str, method: str, target: str, body: bytes
) -> None:
    held = open_session(scene, getattr(scene, who))
    scene.refuse(held.message(method=method, target=target, body=body), 404, "not-found", nonces=1)


def test_a_rekey_raises_no_role(scene: Scene) -> None:
    held = rekey(scene, open_session(scene, scene.analyst))
    scene.refuse(held.message(), 403, "forbidden", nonces=1)
    scene.accept(held.message(method="GET", body=b""), 200)


def test_what_the_role_allows_is_allowed(scene: Scene) -> None:
    for member, method, target, status in (
        (scene.victim, "POST", "/v1/datasets", 201),
        (scene.analyst, "GET", "/v1/datasets/vitals/records", 200),
        (scene.auditor, "GET", "/v1/ledger", 200),
        (scene.admin, "GET", "/v1/clients", 200),
    ):
        changes = {} if method == "POST" else {"body": b""}
        scene.accept(open_session(scene, member).message(method=method, target=target, **changes), status)


def test_a_session_opens_no_session(scene: Scene) -> None:
    """Else whoever steals one would renew it for ever."""
    held = open_session(scene)
    body = offer(scene).requests[0].body
    scene.refuse(held.message(target=SESSIONS, body=body), 403, "forbidden", nonces=1)


def test_a_session_enrolls_nobody(scene: Scene) -> None:
    held = open_session(scene, scene.admin)
    fresh = PrivateKey.generate(ML_DSA_44)
    token = scene.token("hospital", "contributor")
    body = enrollment_body(token, [fresh])
    within = held.forge(target="/v1/clients", body=body)
    by_key = Forgery(fresh, held.authority, target="/v1/clients", body=body, label="sig2")
    scene.refuse(within.message(), 403, "forbidden", nonces=1)
    scene.disbelieve(joined(within.message(), by_key.message()), NOT_ALLOWED)
    scene.accept(by_key.message())


@pytest.mark.parametrize("target", ["/v1/clients/me/keys", "/v1/clients/me/%6beys"])
def test_a_session_rotates_no_key(scene: Scene, target: str) -> None:
    member = scene.enroll("hospital", "contributor", ML_DSA_44)
    held = open_session(scene, member)
    fresh = PrivateKey.generate(ML_DSA_44)
    within = held.forge(target=target, body=rotation(fresh))
    by_key = Forgery(fresh, held.authority, target=target, body=within.body, label="sig2")
    scene.refuse(within.message(), 403, "forbidden", nonces=1)
    scene.disbelieve(joined(within.message(), by_key.message()), NOT_ALLOWED)
    scene.accept(held.message())
    by_old = Forgery(member.key, held.authority, target=target, body=within.body)
    scene.accept(joined(by_old.message(), by_key.message()))


@pytest.mark.parametrize("who", OTHERS)
def test_another_organization_ends_no_session(scene: Scene, who: str) -> None:
    held, stranger = open_session(scene), getattr(scene, who)
    target = f"{SESSIONS}/{held.id}"
    scene.refuse(scene.sign(stranger, "DELETE", target), 404, "not-found", nonces=1)
    within = open_session(scene, stranger).message(method="DELETE", target=target, body=b"")
    scene.refuse(within, 404, "not-found", nonces=1)
    scene.accept(held.message())


@pytest.mark.parametrize("who", ["analyst", "classical", "hybrid", "auditor"])
def test_a_colleague_ends_no_session(scene: Scene, who: str) -> None:
    held, colleague = open_session(scene), getattr(scene, who)
    target = f"{SESSIONS}/{held.id}"
    within = open_session(scene, colleague).message(method="DELETE", target=target, body=b"")
    scene.refuse(scene.sign(colleague, "DELETE", target), 403, "forbidden", nonces=len(colleague.keys))
    scene.refuse(within, 403, "forbidden", nonces=1)
    scene.accept(held.message())


@pytest.mark.parametrize("who", [*OTHERS, "analyst", "admin"])
def test_a_list_shows_ones_own_sessions(scene: Scene, who: str) -> None:
    held, theirs = open_session(scene), open_session(scene, getattr(scene, who))
    reply = scene.accept(theirs.message(method="GET", target=SESSIONS, body=b""), 200)
    listed = [entry["id"] for entry in reply.json["sessions"]]
    assert theirs.id in listed
    assert held.id not in listed
    assert held.keys.session not in reply.body.decode()


def test_the_name_of_a_session_is_no_keyid_to_revoke(scene: Scene) -> None:
    held = open_session(scene)
    for target in (f"/v1/keys/{held.id}", f"{SESSIONS}/{scene.victim.key.keyid}"):
        scene.refuse(scene.sign(scene.admin, "DELETE", target), 422, "validation-failed", nonces=1)
    scene.accept(held.message())


def test_the_ledger_says_who_opened_and_who_ended_a_session(scene: Scene) -> None:
    held = open_session(scene)
    scene.ok(scene.admin, "DELETE", f"{SESSIONS}/{held.id}")
    entries = scene.ok(scene.operator, "GET", f"/v1/ledger?after={scene.state().ledger_tip[0] - 2}")["entries"]
    opened, ended = entries
    assert (opened["kind"], opened["payload"]["session"]) == ("session.opened", held.id)
    assert opened["payload"]["keyids"] == [scene.victim.key.keyid]
    assert (ended["kind"], ended["payload"]["client"]) == ("session.ended", opened["actor"])
    assert ended["actor"] != opened["actor"]
