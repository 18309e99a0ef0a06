"""Handshakes and sealing keys that somebody between changed, exchanged, or kept for later."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from crypto import KemAlgorithm
from secure_api.client import REPORT, ClientError, ResponseRefused, ServerUnusable, Session, SignatureAuth
from secure_api.settings import Settings
from tests.api.between import UNSIGNED, between, forged, session_of, signing
from tests.api.running import started
from tests.consortium import Consortium, Peer, server_key

pytestmark = pytest.mark.anyio


def swapped(answer: httpx.Response, **members: Any) -> httpx.Response:
    """The answer with other members in its JSON."""
    return forged(answer, body=json.dumps({**answer.json(), **members}).encode())


@pytest.mark.parametrize(
    "members",
    [
        {"suite": "ml-kem-768"},
        {"id": "A" * 32},
        {"ciphertext": "A" * 1494},
        {"max_requests": 10**9},
        {"expires": 1e300},
        {},
    ],
)
async def test_a_changed_answer_to_a_handshake_opens_nothing(embedded: Settings, members: dict[str, Any]) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda _, answer: swapped(answer, **members)
        session = session_of(peer)
        async with middle.client(session) as client:
            with pytest.raises(ResponseRefused, match="not the server's"):
                await client.post("/v1/datasets", json={"name": "vitals"})
        assert session.current is None
        assert middle.paths() == ["POST /v1/sessions"], "nothing was sent under keys that nobody vouched for"


async def test_an_unsigned_answer_and_an_earlier_one_open_nothing(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        async with middle.client(session_of(peer)) as client:
            await client.get("/v1/clients/me")
        earlier = middle.seen[0][1]
        for change in (lambda _, answer: forged(answer, fields=UNSIGNED), lambda _, __: forged(earlier)):
            middle.change = change
            async with middle.client(session_of(peer)) as client:
                with pytest.raises(ResponseRefused):
                    await client.get("/v1/clients/me")


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_refused_handshake_says_its_status(embedded: Settings, status: int) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda _, answer: forged(answer, status=status, fields=UNSIGNED)
        async with middle.client(session_of(peer)) as client:
            with pytest.raises((ServerUnusable, ResponseRefused)) as refused:
                await client.get("/v1/clients/me")
        assert isinstance(refused.value, ResponseRefused) is (status == 403), "a 403 would have to be signed"
        if isinstance(refused.value, ServerUnusable):
            assert refused.value.status == status


async def test_a_handshake_is_not_redirected(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda _, answer: forged(answer, status=307, fields=UNSIGNED | {"location": "/v1/sessions?x=1"})
        async with middle.client(session_of(peer)) as client:
            with pytest.raises(ServerUnusable, match="HTTP 307"):
                await client.get("/v1/clients/me")
        async with middle.client(session_of(peer), follow_redirects=True) as client:
            with pytest.raises((ResponseRefused, httpx.TooManyRedirects)):
                await client.get("/v1/clients/me")


async def test_a_rekey_that_is_refused_is_followed_by_a_handshake(embedded: Settings) -> None:
    async with started(embedded.model_copy(update={"session_max_requests": 20})) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        session = session_of(peer)
        async with middle.client(session) as client:
            await client.get("/v1/clients/me")
            assert session.current is not None
            first = session.current
            first.requests = 20
            middle.change = lambda request, answer: (
                forged(answer, status=401, fields=UNSIGNED) if request.url.path.endswith("/rekey") else answer
            )
            response = await client.get("/v1/clients/me")
        assert response.extensions[REPORT].handshake.rekey is False
        assert session.current is not first
        assert middle.paths()[-2:] == ["POST /v1/sessions", "GET /v1/clients/me"]


async def test_timeouts_are_those_of_the_request_that_brings_the_handshake(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        for auth in (session_of(peer, seal=True), signing(peer, seal=True)):
            async with middle.client(auth) as client:
                await client.get("/v1/clients/me", timeout=7.5)
        assert {request.extensions["timeout"]["read"] for request, _ in middle.seen} == {7.5}
        assert "GET /.well-known/secure-api" in middle.paths()
        assert "POST /v1/sessions" in middle.paths()


async def test_what_cannot_be_a_session_is_refused_at_once(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    with pytest.raises(ClientError, match="public key"):
        Session(SignatureAuth(*peer.keys))
    with pytest.raises(ClientError, match="let the session seal"):
        Session(SignatureAuth(*peer.keys, server_key=server_key().public_key, seal=True))


async def test_end_and_the_request_after_it(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        session = session_of(peer, seal=True)
        async with middle.client(session) as client:
            await session.aend(client)
            assert middle.seen == [], "there is no session yet"
            await client.get("/v1/clients/me")
            assert session.current is not None
            name = session.current.id
            await session.aend(client)
            assert session.current is None
            assert middle.paths()[-1] == f"DELETE /v1/sessions/{name}"
            assert middle.seen[-1][1].status_code == 204
            assert await active(peer) == []
            await client.get("/v1/clients/me")
            assert await active(peer) == [session.current.id]


@pytest.mark.parametrize("suite", list(KemAlgorithm))
async def test_the_report_tells_what_it_cost(embedded: Settings, suite: KemAlgorithm) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        session = Session(signing(peer), suite=suite, seal=True)
        async with middle.client(session) as client:
            first = (await client.post("/v1/datasets", json={"name": "vitals"})).extensions[REPORT]
            second = (await client.get("/v1/clients/me")).extensions[REPORT]
        handshake, request = middle.seen[0], middle.seen[1][0]
        assert (first.handshake.suite, first.handshake.rekey) == (suite.value, False)
        assert (first.handshake.sent, first.handshake.received) == (
            len(handshake[0].content),
            len(handshake[1].content),
        )
        assert second.handshake is None
        assert set(first.seconds) == {"seal", "sign", "verify", "open"}
        assert (first.request.plain, first.request.sealed) == (len(b'{"name":"vitals"}'), len(request.content))
        assert first.request.sealed - first.request.plain == first.answer.sealed - first.answer.plain == 12 + 16
        types = len(request.headers["content-type"]) - len("application/json")
        assert first.bytes["seal"] == first.bytes["answer's seal"] == 12 + 16 + types
        assert first.request.context.splitlines()[:4] == [
            b"secure-api sealed request v1",
            b"POST",
            b"testserver",
            b"/v1/datasets",
        ]
        assert first.answer.context.splitlines()[:2] == [b"secure-api sealed response v1", b"201"]
        names = ("content-digest", "signature-input", "signature")
        assert first.bytes["signature"] == sum(len(f"{name}: {request.headers[name]}\r\n") for name in names)
        wish = f"accept-signature: {request.headers['accept-signature']}\r\n"
        answered = sum(len(f"{name}: {middle.seen[1][1].headers[name]}\r\n") for name in names)
        assert first.bytes["answer's signature"] == len(wish) + answered


async def active(peer: Peer) -> list[str]:
    """The names of a peer's active sessions, as the server says."""
    return [entry["id"] for entry in (await peer.ok("GET", "/v1/sessions"))["sessions"]]
