"""Rotation: new keys take the place of the old ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.client import REPORT
from tests.api.between import between, session_of
from tests.api.problem import places, problem
from tests.api.state import rows
from tests.consortium import Consortium, Peer

pytestmark = pytest.mark.anyio

ED25519, ML_DSA_44, ML_DSA_65 = (
    SignatureAlgorithm.ED25519,
    SignatureAlgorithm.ML_DSA_44,
    SignatureAlgorithm.ML_DSA_65,
)
PATH = "/v1/clients/me/keys"


def generated(*algorithms: SignatureAlgorithm) -> list[PrivateKey]:
    return [PrivateKey.generate(algorithm) for algorithm in algorithms]


def presenting(keys: Sequence[PrivateKey]) -> dict[str, Any]:
    return {"keys": [key.public_key.jwk() for key in keys]}


def statuses(profile: dict[str, Any]) -> dict[str, str]:
    return {key["keyid"]: key["status"] for key in profile["keys"]}


async def rotate(peer: Peer, new: Sequence[PrivateKey]) -> dict[str, Any]:
    """Rotate, and go on with the new keys."""
    profile: dict[str, Any] = await peer.ok("POST", PATH, presenting(new), keys=[*peer.keys, *new])
    peer.keys = new
    return profile


async def test_single_to_hybrid_and_back(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    first, pair, last = alice.keys, generated(ML_DSA_65, ED25519), generated(ED25519)
    me = await alice.ok("GET", "/v1/clients/me")
    assert (await rotate(alice, pair))["id"] == me["id"]
    await alice.ok("GET", "/v1/clients/me")
    for keys in (pair[:1], pair[1:], first):
        problem(await alice.request("GET", "/v1/clients/me", keys=keys), 401, "authentication-failed")
    consortium.clock.advance(1)
    profile = await rotate(alice, last)
    assert profile == await alice.ok("GET", "/v1/clients/me")
    assert statuses(profile) == {
        first[0].public_key.keyid: "rotated",
        pair[0].public_key.keyid: "rotated",
        pair[1].public_key.keyid: "rotated",
        last[0].public_key.keyid: "active",
    }
    assert [key["status"] for key in profile["keys"]] == ["active", "rotated", "rotated", "rotated"]
    problem(await alice.request("GET", "/v1/clients/me", keys=pair), 401, "authentication-failed")


async def test_both_the_old_and_the_new_keys_must_sign(consortium: Consortium) -> None:
    alice = await consortium.member("alpha", algorithms=(ML_DSA_44, ED25519))
    new = generated(ML_DSA_65, ED25519)
    before = await rows(consortium.app)
    for keys in (alice.keys, new, [*alice.keys, new[0]], [alice.keys[0], *new], [*alice.keys, *generated(ED25519)]):
        problem(await alice.request("POST", PATH, presenting(new), keys=keys), 401, "authentication-failed")
    assert await rows(consortium.app) == before
    await rotate(alice, new)


async def test_another_spelling_of_the_path_proves_the_new_keys_too(consortium: Consortium) -> None:
    """Routes match the decoded path; a request that signs `%6Beys` must not slip past the proof of possession."""
    alice = await consortium.member("alpha")
    new = generated(ED25519)
    before = await rows(consortium.app)
    for path in ("/v1/clients/me/%6Beys", "/v1/clients/%6De/keys"):
        response = await alice.request("POST", path, presenting(new))
        problem(response, 401, "authentication-failed")
    assert await rows(consortium.app) == before
    profile = await alice.ok("POST", "/v1/clients/me/%6Beys", presenting(new), keys=[*alice.keys, *new])
    assert statuses(profile)[new[0].public_key.keyid] == "active"


async def test_an_enrolled_key_is_not_a_new_one(consortium: Consortium) -> None:
    alice, bob = await consortium.member("alpha"), await consortium.member("alpha")
    before = await rows(consortium.app)
    stolen = [*alice.keys, *bob.keys]
    problem(await alice.request("POST", PATH, presenting(bob.keys), keys=stolen), 409, "conflict")
    problem(await alice.request("POST", PATH, presenting(alice.keys)), 401, "authentication-failed")
    assert await rows(consortium.app) == before
    old = alice.keys
    await rotate(alice, generated(ED25519))
    consortium.clock.advance(1)
    before = await rows(consortium.app)
    problem(await alice.request("POST", PATH, presenting(old), keys=[*alice.keys, *old]), 409, "conflict")
    assert await rows(consortium.app) == before


async def test_of_many_rotations_at_once_one_wins(consortium: Consortium) -> None:
    alice = await consortium.member("alpha", algorithms=(ED25519,))
    offers = [generated(ED25519) for _ in range(8)]
    answers = await asyncio.gather(
        *(alice.request("POST", PATH, presenting(new), keys=[*alice.keys, *new]) for new in offers)
    )
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert {answer.status_code for answer in answers} <= {201, 401, 409}
    assert [answer.status_code for answer in answers].count(201) == 1
    winner = next(new for new, answer in zip(offers, answers, strict=True) if answer.status_code == 201)
    profile = await alice.ok("GET", "/v1/clients/me", keys=winner)
    assert sorted(statuses(profile).values()) == ["active", "rotated"]


async def test_the_body_presents_keys(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    new = generated(ED25519)
    before = await rows(consortium.app)
    for body, pointer in (
        ({}, "/keys"),
        ({"keys": []}, "/keys"),
        ({"keys": [1]}, "/keys/0"),
        (presenting(generated(ED25519, ED25519)), "/keys"),
        ({**presenting(new), "token": "x"}, "/token"),
    ):
        response = await alice.request("POST", PATH, body, keys=[*alice.keys, *new])
        assert places(response) == [pointer], body
    assert await rows(consortium.app) == before


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.parametrize("path", [PATH, "/v1/clients"])
async def test_within_a_session_a_signed_answer_says_that_keys_must_sign(
    consortium: Consortium, path: str, seal: bool
) -> None:
    alice = await consortium.member("alpha")
    body = presenting(generated(ED25519)) | ({} if path == PATH else {"token": "of no worth"})
    malformed: dict[str, Any] = {"keys": []}
    session = session_of(alice, seal=seal)
    async with between(consortium).client(session) as client:
        await client.get("/v1/clients/me")
        before = await rows(consortium.app)
        for content in (body, malformed):
            answer = await client.post(path, json=content)
            document = problem(answer, 403, "forbidden")
            assert document["detail"].endswith("not within a session.")
            report = answer.extensions[REPORT]
            assert (report.signed_by, report.answer is not None) == (session.current and session.current.id, seal)
        assert await rows(consortium.app) == before
        assert (await client.get("/v1/clients/me")).extensions[REPORT].handshake is None, "the session goes on"
