"""Enrollment: a key becomes a client."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from crypto import PrivateKey, SignatureAlgorithm
from tests.api.problem import places, problem
from tests.api.state import rows
from tests.consortium import Consortium, Peer, enrollment

pytestmark = pytest.mark.anyio

ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87 = (
    SignatureAlgorithm.ED25519,
    SignatureAlgorithm.ML_DSA_44,
    SignatureAlgorithm.ML_DSA_65,
    SignatureAlgorithm.ML_DSA_87,
)


async def token(consortium: Consortium, organization: str = "alpha", role: str = "contributor") -> str:
    made = await consortium.admin.request("POST", "/v1/organizations", {"name": organization})
    assert made.status_code in {201, 409}
    issued = await consortium.admin.ok("POST", "/v1/tokens", {"organization": organization, "role": role})
    return str(issued["token"])


def newcomer(consortium: Consortium, *algorithms: SignatureAlgorithm) -> Peer:
    return Peer(consortium.http, [PrivateKey.generate(algorithm) for algorithm in algorithms], consortium.clock)


@pytest.mark.parametrize(
    "algorithms",
    [(ED25519,), (ML_DSA_44,), (ML_DSA_65,), (ML_DSA_87,), (ML_DSA_65, ED25519), (ED25519, ML_DSA_44)],
    ids=lambda algorithms: "+".join(algorithms),
)
async def test_every_algorithm_enrolls_and_signs(
    consortium: Consortium, algorithms: tuple[SignatureAlgorithm, ...]
) -> None:
    client = newcomer(consortium, *algorithms)
    enrolled = await client.ok("POST", "/v1/clients", enrollment(await token(consortium), client.keys))
    assert set(enrolled) == {"id", "organization", "role", "keys"}
    assert (enrolled["organization"], enrolled["role"]) == ("alpha", "contributor")
    assert {(key["keyid"], key["algorithm"], key["status"]) for key in enrolled["keys"]} == {
        (key.public_key.keyid, key.algorithm.value, "active") for key in client.keys
    }
    assert await client.ok("GET", "/v1/clients/me") == enrolled


async def test_a_hybrid_client_signs_with_both_keys_or_not_at_all(consortium: Consortium) -> None:
    client = await consortium.member("alpha", algorithms=(ML_DSA_44, ED25519))
    await client.ok("GET", "/v1/clients/me")
    await client.ok("GET", "/v1/clients/me", keys=client.keys[::-1])
    before = await rows(consortium.app)
    for key in client.keys:
        problem(await client.request("POST", "/v1/datasets", {"name": "a"}, keys=[key]), 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_the_members_of_an_organization_are_listed_with_their_keys(consortium: Consortium) -> None:
    head = await consortium.member("alpha", "admin")
    hybrid = await consortium.member("alpha", "analyst", (ML_DSA_44, ED25519))
    await consortium.member("beta")
    named = newcomer(consortium, ED25519)
    body = enrollment(await token(consortium, role="auditor"), named.keys) | {"name": "night-shift"}
    me = await named.ok("POST", "/v1/clients", body)
    clients = (await head.ok("GET", "/v1/clients"))["clients"]
    assert [(client["name"], client["role"], len(client["keys"])) for client in clients] == [
        (None, "admin", 1),
        (None, "analyst", 2),
        ("night-shift", "auditor", 1),
    ]
    assert set(clients[0]) == {"id", "name", "role", "created", "keys"}
    assert clients[2]["id"] == me["id"]
    assert clients[2]["keys"] == me["keys"]
    assert {key["keyid"] for key in clients[1]["keys"]} == {key.public_key.keyid for key in hybrid.keys}


async def test_every_key_must_have_signed(consortium: Consortium) -> None:
    client = newcomer(consortium, ML_DSA_44, ED25519)
    body = enrollment(await token(consortium), client.keys)
    before = await rows(consortium.app)
    for keys in (client.keys[:1], client.keys[1:], [PrivateKey.generate(ED25519)], consortium.admin.keys):
        problem(await client.request("POST", "/v1/clients", body, keys=keys), 401, "authentication-failed")
    outsider = [*client.keys, PrivateKey.generate(ED25519)]
    problem(await client.request("POST", "/v1/clients", body, keys=outsider), 401, "authentication-failed")
    assert await rows(consortium.app) == before
    await client.ok("POST", "/v1/clients", body)


async def test_a_client_does_not_enroll_another(consortium: Consortium) -> None:
    """Whoever signs as a client already is no newcomer: rotation is the way to new keys."""
    client = newcomer(consortium, ED25519)
    body = enrollment(await token(consortium), client.keys)
    before = await rows(consortium.app)
    both = [*client.keys, *consortium.admin.keys]
    problem(await client.request("POST", "/v1/clients", body, keys=both), 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_an_unknown_token_enrolls_nobody(consortium: Consortium) -> None:
    client = newcomer(consortium, ED25519)
    genuine = await token(consortium)
    before = await rows(consortium.app)
    for text in ("sat_" + "A" * 43, genuine[:-1], genuine + "A", genuine.upper(), " " + genuine, "ä"):
        response = await client.request("POST", "/v1/clients", enrollment(text, client.keys))
        problem(response, 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_a_key_is_enrolled_once_and_the_token_stays_good(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    unspent = await token(consortium, "beta")
    before = await rows(consortium.app)
    conflict = problem(await alice.request("POST", "/v1/clients", enrollment(unspent, alice.keys)), 409, "conflict")
    assert conflict["detail"] == "One of the keys is enrolled already."
    assert await rows(consortium.app) == before
    client = newcomer(consortium, ED25519)
    assert (await client.ok("POST", "/v1/clients", enrollment(unspent, client.keys)))["organization"] == "beta"


async def test_the_replay_of_an_enrollment_is_refused(consortium: Consortium) -> None:
    client = newcomer(consortium, ED25519)
    message = client.sign("POST", "/v1/clients", enrollment(await token(consortium), client.keys))
    assert (await client.send(message)).status_code == 201
    before = await rows(consortium.app)
    problem(await client.send(message), 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_a_malformed_key_is_pointed_at(consortium: Consortium) -> None:
    client = newcomer(consortium, ED25519)
    good = client.keys[0].public_key.jwk()
    pqc = PrivateKey.generate(ML_DSA_44).public_key.jwk()
    other = PrivateKey.generate(ED25519).public_key.jwk()
    ten = base64.urlsafe_b64encode(bytes(10)).decode().rstrip("=")
    refused: list[tuple[Any, str]] = [
        (None, "/keys"),
        ({}, "/keys"),
        ([], "/keys"),
        ([good, pqc, other], "/keys"),
        ([good, other], "/keys"),  # two of one kind are no hybrid pair
        ([pqc, PrivateKey.generate(ML_DSA_87).public_key.jwk()], "/keys"),
        ([good, good], "/keys"),
        (["key"], "/keys/0"),
        ([pqc, None], "/keys/1"),
        ([{}], "/keys/0"),
        ([{"kty": "RSA", "n": "AQAB", "e": "AQAB"}], "/keys/0"),
        ([{**good, "crv": "X25519"}], "/keys/0"),
        ([{**good, "x": ten}], "/keys/0"),
        ([{**good, "x": good["x"] + "="}], "/keys/0"),
        ([pqc, {**good, "x": 1}], "/keys/1"),
        ([{**pqc, "alg": "ML-DSA-65"}], "/keys/0"),
        ([{**pqc, "alg": "SLH-DSA-SHA2-128s"}], "/keys/0"),
        ([{**good, "d": good["x"]}], "/keys/0"),
    ]
    spare = await token(consortium)
    before = await rows(consortium.app)
    for keys, pointer in refused:
        response = await client.request("POST", "/v1/clients", {"token": spare, "keys": keys})
        assert places(response) == [pointer], keys
    documents: list[Any] = [[], "keys", {"token": spare}]
    for document in documents:
        assert places(await client.request("POST", "/v1/clients", document)) == ["/keys"], document
    assert await rows(consortium.app) == before


async def test_the_other_members_are_checked_too(consortium: Consortium) -> None:
    client = newcomer(consortium, ED25519)
    body = enrollment(await token(consortium), client.keys)
    before = await rows(consortium.app)
    for member, value in (
        ("token", ""),
        ("token", "t" * 129),
        ("token", 1),
        ("name", "Night Shift"),
        ("role", "admin"),
    ):
        assert places(await client.request("POST", "/v1/clients", {**body, member: value})) == [f"/{member}"], member
    assert await rows(consortium.app) == before
    extended = {**body["keys"][0], "use": "sig", "kid": "any", "x5t": "unknown members of a JWK are ignored"}
    await client.ok("POST", "/v1/clients", {**body, "keys": [extended]})


async def test_a_newcomer_can_do_nothing_but_enroll(consortium: Consortium) -> None:
    client = newcomer(consortium, ED25519)
    body = enrollment(await token(consortium), client.keys)
    before = await rows(consortium.app)
    for method, path in (("POST", "/v1/clients/me/keys"), ("POST", "/v1/datasets"), ("GET", "/v1/clients/me")):
        response = await client.request(method, path, None if method == "GET" else body)
        problem(response, 401, "authentication-failed")
    assert await rows(consortium.app) == before
