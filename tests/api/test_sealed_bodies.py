"""Sealed bodies without a session, and signed answers, through the real client."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import httpx
import pytest

from crypto import PrivateKey, SealingPrivateKey, SignatureAlgorithm, is_sealed
from secure_api.client import REPORT, ClientError, ResponseRefused, ServerUnusable, Session, SignatureAuth
from secure_api.client.sealer import SealingTarget
from tests.api.running import altered, started
from tests.consortium import Consortium, Peer, enrollment, server_key

pytestmark = pytest.mark.anyio


def signing(peer: Peer, *, seal: bool = True, key: PrivateKey | None = None) -> SignatureAuth:
    public_key = (key or server_key()).public_key
    return SignatureAuth(*peer.keys, server_key=public_key, seal=seal, clock=lambda: peer.clock().timestamp())


async def test_both_ways_are_sealed_and_the_routes_do_not_notice(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    auth = signing(peer)
    assert (await peer.http.post("/v1/datasets", json={"name": "vitals"}, auth=auth)).status_code == 201
    record = {"time": "2026-11-22T09:30:00Z", "attributes": {"pulse": 71}}
    sent = await peer.http.post("/v1/datasets/vitals/records", json=record, auth=auth)
    assert sent.json() == {"accepted": 1}
    assert b"pulse" not in sent.request.content
    assert is_sealed(sent.request.headers["content-type"])
    assert sent.headers["content-type"] == "application/json"
    assert sent.extensions[REPORT].sealed_by == "hpke-x-wing"
    read = await peer.http.get("/v1/datasets/vitals/records", auth=auth)
    assert read.json()["records"] == [record]
    assert len(read.request.content) > 1216, "a request without a body is sealed, too"


async def test_problems_are_sealed_and_signed(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    response = await peer.http.get("/v1/datasets/none/records", auth=signing(peer))
    assert response.status_code == 404
    assert response.json()["type"] == "urn:problem-type:secure-api:not-found"
    assert "open" in response.extensions[REPORT].seconds


async def test_an_answer_without_a_body_is_signed_and_not_sealed(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    response = await peer.http.delete(f"/v1/keys/{peer.keys[0].keyid}", auth=signing(peer))
    assert response.status_code == 204
    assert response.content == b""
    assert response.extensions[REPORT].signed_by == server_key().keyid


async def test_a_token_travels_sealed_into_an_enrollment(consortium: Consortium) -> None:
    await consortium.admin.ok("POST", "/v1/organizations", {"name": "clinic"})
    token = (await consortium.admin.ok("POST", "/v1/tokens", {"organization": "clinic", "role": "analyst"}))["token"]
    key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_44)
    auth = SignatureAuth(key, server_key=server_key().public_key, seal=True)
    made = await consortium.http.post("/v1/clients", json=enrollment(token, [key]), auth=auth)
    assert made.status_code == 201, made.text
    assert token.encode() not in made.request.content
    assert made.json()["organization"] == "clinic"


async def test_answers_are_verified_unless_the_request_was_not_believed(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    response = await peer.http.get("/v1/clients/me", auth=signing(peer, seal=False))
    assert response.extensions[REPORT].signed_by == server_key().keyid
    stranger = SignatureAuth(PrivateKey.generate(SignatureAlgorithm.ED25519), server_key=server_key().public_key)
    refused = await peer.http.get("/v1/clients/me", auth=stranger)
    assert refused.status_code == 401
    assert refused.extensions[REPORT].signed_by is None


async def test_another_servers_key_is_not_believed(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    other = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
    with pytest.raises(ResponseRefused, match="missing-signature"):
        await peer.http.get("/v1/clients/me", auth=signing(peer, seal=False, key=other))
    with pytest.raises(ServerUnusable, match="vouches"):
        await peer.http.get("/v1/clients/me", auth=signing(peer, key=other))


def test_sealing_needs_the_servers_key() -> None:
    with pytest.raises(ClientError, match="public key"):
        SignatureAuth(PrivateKey.generate(SignatureAlgorithm.ED25519), seal=True)


async def test_whoever_did_not_ask_gets_no_signature(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    response = await peer.request("GET", "/v1/clients/me")
    assert "signature" not in response.headers
    asked = peer.sign("GET", "/v1/clients/me").with_header("accept-signature", 'sig9=("@status");tag="secure-api"')
    signed = await peer.send(asked)
    assert signed.headers["signature-input"].startswith('sig9=("@status" "content-type" "content-digest" "@method";req')
    foreign = peer.sign("GET", "/v1/clients/me").with_header("accept-signature", 'sig1=("@status");tag="other"')
    assert "signature" not in (await peer.send(foreign)).headers
    malformed = peer.sign("GET", "/v1/clients/me").with_header("accept-signature", "sig1=(@status)")
    assert (await peer.send(malformed)).status_code == 422


async def test_the_sealing_key_is_rotated_vouched_for_and_forgotten(consortium: Consortium) -> None:
    settings = altered(consortium.settings, sealing_key_lifetime=600)
    async with started(settings) as consortium:
        consortium.clock.advance(601 - consortium.clock().timestamp() % 600)  # a generation begins
        await consortium.app.state.server.keyring.refresh()
        peer = await consortium.member("clinic")
        keyring = consortium.app.state.server.keyring
        first = (await published(consortium))[0]
        auth = signing(peer)
        assert (await peer.http.get("/v1/clients/me", auth=auth)).status_code == 200
        consortium.clock.advance(600)
        await keyring.refresh()
        kids = [entry["kid"] for entry in await published(consortium)]
        assert kids[0] != first["kid"]
        assert first["kid"] in kids, "for a while both are published"
        assert (await peer.http.get("/v1/clients/me", auth=auth)).status_code == 200, "and both can open"
        consortium.clock.advance(600 + 300 + 3_600)
        await keyring.refresh()
        assert first["kid"] not in [entry["kid"] for entry in await published(consortium)]
        assert await keyring.find(first["kid"]) is None
        assert (await peer.http.get("/v1/clients/me", auth=auth)).status_code == 200, "the client fetches the new one"


async def test_a_forged_sealing_key_is_passed_over(consortium: Consortium) -> None:
    entry = (await published(consortium))[0]
    now = consortium.clock().timestamp()
    genuine = SealingTarget.choose({"sealing": {"keys": [entry]}}, server_key().public_key, now)
    assert genuine.kid == entry["kid"]
    forged_key = SealingPrivateKey(secrets.token_bytes(32)).public_key
    swapped = entry | {"public_key": base64.urlsafe_b64encode(forged_key).rstrip(b"=").decode()}
    prolonged = entry | {"retires": entry["retires"] + 1}
    for forged in (swapped, prolonged, {}, {"alg": "hpke-x-wing"}, "nonsense", entry | {"signature": {"value": "AA"}}):
        with pytest.raises(ServerUnusable):
            SealingTarget.choose({"sealing": {"keys": [forged]}}, server_key().public_key, now)
        chosen = SealingTarget.choose({"sealing": {"keys": [forged, entry]}}, server_key().public_key, now)
        assert chosen.kid == entry["kid"]


async def published(consortium: Consortium) -> list[dict[str, Any]]:
    response: httpx.Response = await consortium.http.get("/.well-known/secure-api")
    keys: list[dict[str, Any]] = json.loads(response.content)["sealing"]["keys"]
    return keys


@pytest.mark.parametrize("within", [False, True], ids=["signed", "in a session"])
@pytest.mark.parametrize("seal", [False, True], ids=["open", "sealed"])
async def test_the_answer_to_head_is_signed_for_the_body_that_it_does_not_carry(
    consortium: Consortium, within: bool, seal: bool
) -> None:
    peer = await consortium.member("clinic")
    signed = signing(peer, seal=seal and not within)
    response = await peer.http.head("/v1/clients/me", auth=Session(signed, seal=seal) if within else signed)
    assert (response.status_code, response.content) == (405, b"")
    assert response.extensions[REPORT].signed_by is not None
