"""Sealing keys and sealed answers that somebody between changed, exchanged or took away."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode

import httpx
import pytest

from crypto import SealingPrivateKey, is_sealed
from secure_api.client import REPORT, ResponseRefused, ServerUnusable
from secure_api.settings import Settings
from tests.api.between import UNSIGNED, between, forged, session_of, signing
from tests.api.running import started

pytestmark = pytest.mark.anyio

DISCOVERY = "/.well-known/secure-api"


@pytest.mark.parametrize(
    "document", [b"{}", b"[]", b"", b'{"sealing": null}', b'{"sealing": {"keys": {}}}', b'{"sealing": {"keys": [7]}}']
)
async def test_without_a_key_to_seal_to_nothing_is_sent(embedded: Settings, document: bytes) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda _, answer: forged(answer, body=document)
        async with middle.client(signing(peer, seal=True)) as client:
            with pytest.raises(ServerUnusable):
                await client.post("/v1/datasets", json={"name": "vitals"})
        assert middle.paths() == [f"GET {DISCOVERY}"]


async def test_a_key_of_somebody_between_is_not_sealed_to(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        own = urlsafe_b64encode(SealingPrivateKey(secrets.token_bytes(32)).public_key).rstrip(b"=").decode()

        def exchange(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
            if request.url.path != DISCOVERY:
                return answer
            document = answer.json()
            document["sealing"]["keys"][0]["public_key"] = own
            return forged(answer, body=json.dumps(document).encode())

        middle.change = exchange
        async with middle.client(signing(peer, seal=True)) as client:
            with pytest.raises(ServerUnusable, match="vouches"):
                await client.post("/v1/datasets", json={"name": "vitals"})


@pytest.mark.parametrize("within", [False, True])
async def test_nothing_of_a_sealed_request_or_answer_is_in_clear(embedded: Settings, within: bool) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        auth = session_of(peer, seal=True) if within else signing(peer, seal=True)
        async with middle.client(auth) as client:
            await client.post("/v1/datasets", json={"name": "vitals"})
            record = {"time": "2026-11-22T09:30:00Z", "attributes": {"diagnosis": "influenza"}}
            assert (await client.post("/v1/datasets/vitals/records", json=record)).status_code == 201
            page = await client.get("/v1/datasets/vitals/records")
            assert page.json()["records"] == [record]
        for request, answer in middle.seen:
            if "sessions" not in request.url.path and request.url.path != DISCOVERY:
                assert is_sealed(request.headers["content-type"])
                assert is_sealed(answer.headers["content-type"])
            assert b"influenza" not in request.content + answer.content


@pytest.mark.parametrize("within", [False, True])
async def test_the_sealed_answer_to_another_request_is_refused(embedded: Settings, within: bool) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        async with middle.client(session_of(peer, seal=True) if within else signing(peer, seal=True)) as client:
            await client.get("/v1/clients/me")
            earlier = middle.seen[-1][1]
            middle.change = lambda _, answer: forged(earlier)
            with pytest.raises(ResponseRefused):
                await client.get("/v1/clients/me")
            middle.change = lambda _, answer: forged(answer, body=answer.content[:-1] + b"\0", fields=UNSIGNED)
            with pytest.raises(ResponseRefused):
                await client.get("/v1/clients/me")


async def test_a_key_that_is_gone_is_fetched_anew_and_the_request_is_sent_again_once(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        keyring = consortium.app.state.server.keyring
        async with middle.client(signing(peer, seal=True)) as client:
            assert (await client.post("/v1/datasets", json={"name": "a"})).status_code == 201
            kept, keyring._keys = keyring._keys, {}
            keyring._loaded = 1 << 60  # it does not look for keys
            refused = await client.post("/v1/datasets", json={"name": "b"})
            assert refused.status_code == 400
            assert refused.json()["type"].endswith("sealed-body-rejected")
            assert refused.extensions[REPORT].signed_by is not None
            discoveries = middle.paths().count(f"GET {DISCOVERY}")
            assert (discoveries, middle.paths().count("POST /v1/datasets")) == (2, 3)
            keyring._keys = kept
            assert (await client.post("/v1/datasets", json={"name": "b"})).status_code == 201
            listed = (await client.get("/v1/datasets")).json()["datasets"]
        assert sorted(item["name"] for item in listed) == ["a", "b"]


async def test_a_key_that_retired_is_not_used_any_more(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        async with middle.client(signing(peer, seal=True)) as client:
            await client.get("/v1/clients/me")
            consortium.clock.advance(2 * 86_400)
            with pytest.raises(ServerUnusable, match="vouches"):  # the server has not made the next one yet
                await client.get("/v1/clients/me")
            await consortium.app.state.server.keyring.refresh()
            assert (await client.get("/v1/clients/me")).status_code == 200
        assert middle.paths().count(f"GET {DISCOVERY}") == 3
