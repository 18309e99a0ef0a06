"""The ledger over the API: what is appended, who sees it, and that a reader can check it alone."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
import rfc8785

from crypto import PrivateKey, PublicKey, SignatureAlgorithm
from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.running import started
from tests.consortium import OPERATOR, Consortium, Peer, admin_key, enrollment, server_key

pytestmark = pytest.mark.anyio

RECORD = {"time": "2026-01-01T00:00:00.5+01:00", "attributes": {"ä": 1.0, "b": [None, "\u2028"]}}


async def entries(peer: Peer, after: int = 0) -> list[dict[str, Any]]:
    """Every entry that a client may see."""
    page = await peer.ok("GET", f"/v1/ledger?after={after}&limit=1000")
    assert page["next"] is None
    listed: list[dict[str, Any]] = page["entries"]
    return listed


async def organization_id(consortium: Consortium, name: str) -> str:
    listed = (await consortium.admin.ok("GET", "/v1/organizations"))["organizations"]
    return next(str(organization["id"]) for organization in listed if organization["name"] == name)


async def test_it_begins_with_the_server(consortium: Consortium) -> None:
    (first,) = await entries(consortium.admin)
    operator = await organization_id(consortium, OPERATOR)
    me = await consortium.admin.ok("GET", "/v1/clients/me")
    assert first["sequence"] == 1
    assert first["previous_hash"] == "0" * 64
    assert first["kind"] == "server.initialized"
    assert (first["organization_id"], first["actor"]) == (operator, me["id"])
    assert first["payload"] == {
        "organization": operator,
        "name": OPERATOR,
        "admin": me["id"],
        "keyid": admin_key().public_key.keyid,
        "server_keyid": server_key().public_key.keyid,
    }


async def test_every_change_appends_one_entry_that_tells_it(consortium: Consortium) -> None:
    """Each step: what is done, the kind of its entry, whose it is, who acted, and the payload."""
    admin = consortium.admin
    admin_id = (await admin.ok("GET", "/v1/clients/me"))["id"]
    seen = len(await entries(admin))

    async def told(kind: str, owner: str, actor: str) -> dict[str, Any]:
        nonlocal seen
        appended = await entries(admin, seen)
        assert [entry["kind"] for entry in appended] == [kind]
        assert (appended[0]["organization_id"], appended[0]["actor"]) == (owner, actor)
        seen += 1
        payload: dict[str, Any] = appended[0]["payload"]
        return payload

    operator = await organization_id(consortium, OPERATOR)
    organization = await admin.ok("POST", "/v1/organizations", {"name": "alpha"})
    alpha = organization["id"]
    assert await told("organization.created", operator, admin_id) == {"organization": alpha, "name": "alpha"}

    token = await admin.ok("POST", "/v1/tokens", {"organization": "alpha", "role": "admin"})
    issued = await told("token.issued", operator, admin_id)
    assert issued == {"token": token["id"], "organization": alpha, "role": "admin"}

    keys = [PrivateKey.generate(SignatureAlgorithm.ML_DSA_44), PrivateKey.generate(SignatureAlgorithm.ED25519)]
    alice = Peer(consortium.http, keys, consortium.clock)
    alice_id = (await alice.ok("POST", "/v1/clients", enrollment(token["token"], keys)))["id"]
    enrolled = await told("client.enrolled", alpha, alice_id)
    keyids = [key.public_key.keyid for key in keys]
    assert enrolled == {"client": alice_id, "role": "admin", "token": token["id"], "keyids": keyids}

    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    created = await told("dataset.created", alpha, alice_id)
    assert created["name"] == "vitals"

    await alice.ok("POST", "/v1/datasets/vitals/records", [RECORD, RECORD])
    line = '2025-12-31T23:00:00.5Z {"ä":1.0,"b":[null,"\u2028"]}\n'
    digest = hashlib.sha256((line * 2).encode()).hexdigest()
    appended = await told("records.appended", alpha, alice_id)
    assert appended == {"dataset": created["dataset"], "count": 2, "sha256": digest}

    new = [PrivateKey.generate(SignatureAlgorithm.ED25519)]
    body = {"keys": [new[0].public_key.jwk()]}
    await alice.ok("POST", "/v1/clients/me/keys", body, keys=[*keys, *new])
    alice.keys = new
    rotated = await told("keys.rotated", alpha, alice_id)
    assert sorted(rotated["old"]) == sorted(keyids)
    assert rotated["new"] == [new[0].public_key.keyid]

    assert (await alice.request("DELETE", f"/v1/keys/{new[0].public_key.keyid}")).status_code == 204
    revoked = await told("key.revoked", alpha, alice_id)
    assert revoked == {"keyid": new[0].public_key.keyid, "client": alice_id}
    assert await entries(admin, seen) == []


async def test_what_only_reads_or_is_refused_appends_nothing(consortium: Consortium) -> None:
    alice = await consortium.member("alpha", "admin")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    before = await entries(consortium.admin)
    for path in ("/v1/clients/me", "/v1/clients", "/v1/datasets", "/v1/datasets/vitals/records", "/v1/ledger"):
        await alice.ok("GET", path)
    problem(await alice.request("POST", "/v1/datasets", {"name": "vitals"}), 409, "conflict")
    problem(await alice.request("POST", "/v1/organizations", {"name": "beta"}), 403, "forbidden")
    problem(await alice.request("POST", "/v1/datasets/labs/records", RECORD), 404, "not-found")
    assert await entries(consortium.admin) == before


async def test_an_organization_sees_its_own_entries_and_the_operator_all(consortium: Consortium) -> None:
    alice, bob = await consortium.member("alpha"), await consortium.member("beta")
    auditor = await consortium.member("alpha", "auditor")
    for peer in (alice, bob):
        await peer.ok("POST", "/v1/datasets", {"name": "vitals"})
    everything = await entries(consortium.admin)
    assert [entry["sequence"] for entry in everything] == list(range(1, len(everything) + 1))
    alpha, beta = await organization_id(consortium, "alpha"), await organization_id(consortium, "beta")
    own = await entries(auditor)
    assert own == [entry for entry in everything if entry["organization_id"] == alpha]
    assert [entry["kind"] for entry in own] == ["client.enrolled", "client.enrolled", "dataset.created"]
    assert beta not in repr(own)
    operators_auditor = await consortium.member(OPERATOR, "auditor")
    assert (await entries(operators_auditor))[: len(everything)] == everything


async def test_pages_follow_one_another(consortium: Consortium) -> None:
    auditor = await consortium.member("alpha", "auditor")
    alice = await consortium.member("alpha")
    for name in "abcde":
        await alice.ok("POST", "/v1/datasets", {"name": name})
    for peer in (consortium.admin, auditor):
        whole = await entries(peer)
        for limit in (1, 2, len(whole), 1_000):
            walked: list[dict[str, Any]] = []
            after: int | None = 0
            while after is not None:
                page = await peer.ok("GET", f"/v1/ledger?after={after}&limit={limit}")
                assert len(page["entries"]) <= limit
                walked += page["entries"]
                after = page["next"]
            assert walked == whole
    assert await entries(consortium.admin, after=2**63 - 1) == []


async def test_a_page_has_bounds(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        for query in ("limit=0", "limit=1001", "limit=x", "after=-1", f"after={2**63}", "after=1.5", "after="):
            response = await consortium.admin.request("GET", f"/v1/ledger?{query}")
            (error,) = problem(response, 422, "validation-failed")["errors"]
            assert (error["in"], error["parameter"]) == ("query", query.partition("=")[0]), query


async def test_a_reader_recomputes_every_hash_from_the_answer_alone(consortium: Consortium) -> None:
    alice = await consortium.member("alpha", "admin")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    await alice.ok("POST", "/v1/datasets/vitals/records", RECORD)
    previous = "0" * 64
    chain = await entries(consortium.admin)
    assert len(chain) == 6
    for entry in chain:
        claimed = entry.pop("hash")
        assert set(entry) == {"sequence", "previous_hash", "time", "kind", "organization_id", "actor", "payload"}
        assert entry["previous_hash"] == previous
        assert hashlib.sha256(rfc8785.dumps({"version": 1, **entry})).hexdigest() == claimed
        previous = claimed


async def test_the_head_is_signed_by_the_key_that_the_server_publishes(consortium: Consortium) -> None:
    page = await consortium.admin.ok("GET", "/v1/ledger")
    head = page["head"]
    assert set(head) == {"sequence", "hash", "time", "keyid", "signature"}
    assert (head["sequence"], head["hash"]) == (1, page["entries"][0]["hash"])
    discovery = (await consortium.http.get("/.well-known/secure-api")).json()
    keys = {key["kid"]: PublicKey.from_jwk(key) for key in discovery["keys"]}
    statement = rfc8785.dumps({"hash": head["hash"], "sequence": head["sequence"], "time": head["time"]})
    signature = base64.b64decode(head["signature"], validate=True)
    keys[head["keyid"]].verify(signature, b"secure-api ledger head v1\n" + statement)


async def test_whoever_may_not_read_it_sees_no_head_either(consortium: Consortium) -> None:
    for role in ("contributor", "analyst"):
        peer = await consortium.member("alpha", role)
        refused = problem(await peer.request("GET", "/v1/ledger"), 403, "forbidden")
        assert refused["detail"] == f"The role {role} does not grant ledger:read here."
