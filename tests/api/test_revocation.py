"""Revocation: a key that may not sign any more."""

from __future__ import annotations

import pytest

from crypto import SignatureAlgorithm
from tests.api.problem import problem
from tests.api.state import rows
from tests.consortium import Consortium, Peer

pytestmark = pytest.mark.anyio

ED25519, ML_DSA_44 = SignatureAlgorithm.ED25519, SignatureAlgorithm.ML_DSA_44


def path(peer: Peer, index: int = 0) -> str:
    return f"/v1/keys/{peer.keys[index].public_key.keyid}"


async def test_a_client_revokes_its_own_key(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    response = await alice.request("DELETE", path(alice))
    assert (response.status_code, response.content) == (204, b"")
    before = await rows(consortium.app)
    problem(await alice.request("GET", "/v1/clients/me"), 401, "authentication-failed")
    problem(await alice.request("POST", "/v1/datasets", {"name": "a"}), 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_an_admin_revokes_a_key_of_the_organization(consortium: Consortium) -> None:
    head, alice = await consortium.member("alpha", "admin"), await consortium.member("alpha")
    await alice.ok("GET", "/v1/clients/me")
    assert (await head.request("DELETE", path(alice))).status_code == 204
    problem(await alice.request("GET", "/v1/clients/me"), 401, "authentication-failed")
    (entry,) = [client for client in (await head.ok("GET", "/v1/clients"))["clients"] if client["role"] != "admin"]
    assert entry["keys"] == [{"keyid": alice.keys[0].public_key.keyid, "algorithm": "ml-dsa-44", "status": "revoked"}]


async def test_nobody_else_may(consortium: Consortium) -> None:
    alice, bob = await consortium.member("alpha"), await consortium.member("alpha")
    foreign = await consortium.member("beta", "admin")
    before = await rows(consortium.app)
    problem(await bob.request("DELETE", path(alice)), 403, "forbidden")
    # Another organization's key does not exist, for the operator's admin either.
    for peer in (foreign, consortium.admin):
        detail = problem(await peer.request("DELETE", path(alice)), 404, "not-found")["detail"]
        assert detail == problem(await peer.request("DELETE", f"/v1/keys/{'A' * 43}"), 404, "not-found")["detail"]
    assert await rows(consortium.app) == before
    await alice.ok("GET", "/v1/clients/me")


async def test_a_key_is_revoked_once(consortium: Consortium) -> None:
    head, alice = await consortium.member("alpha", "admin"), await consortium.member("alpha")
    assert (await head.request("DELETE", path(alice))).status_code == 204
    before = await rows(consortium.app)
    conflict = problem(await head.request("DELETE", path(alice)), 409, "conflict")
    assert conflict["detail"] == "The key is revoked already."
    assert await rows(consortium.app) == before


async def test_half_of_a_pair_takes_the_client_out(consortium: Consortium) -> None:
    alice = await consortium.member("alpha", algorithms=(ML_DSA_44, ED25519))
    assert (await alice.request("DELETE", path(alice, 1))).status_code == 204
    for keys in (alice.keys, alice.keys[:1], alice.keys[1:]):
        problem(await alice.request("GET", "/v1/clients/me", keys=keys), 401, "authentication-failed")


async def test_a_keyid_has_a_form(consortium: Consortium) -> None:
    for text in ("x", "A" * 42, "A" * 44, "A" * 42 + "%2B", "A" * 42 + "%0A"):
        response = await consortium.admin.request("DELETE", f"/v1/keys/{text}")
        (error,) = problem(response, 422, "validation-failed")["errors"]
        assert (error["in"], error["parameter"]) == ("path", "keyid"), text
