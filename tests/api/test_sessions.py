"""Sessions through the real client: handshake, requests, limits, rekey, end, revocation."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text

from crypto import KemAlgorithm, SignatureAlgorithm
from secure_api.client import REPORT, ServerUnusable, Session, SignatureAuth
from secure_api.data.database import Database
from tests.api.running import started
from tests.consortium import Consortium, Peer, server_key

pytestmark = pytest.mark.anyio


def signing(peer: Peer, *, seal: bool = False) -> SignatureAuth:
    return SignatureAuth(
        *peer.keys, server_key=server_key().public_key, seal=seal, clock=lambda: peer.clock().timestamp()
    )


def session_of(peer: Peer, *, seal: bool = False, suite: KemAlgorithm = KemAlgorithm.X_WING) -> Session:
    return Session(signing(peer), suite=suite, seal=seal)


async def get(peer: Peer, auth: httpx.Auth, path: str = "/v1/clients/me") -> httpx.Response:
    return await peer.http.get(path, auth=auth)


async def reasons(consortium: Consortium, reason: str) -> int:
    metrics = (await consortium.http.get("/metrics")).text
    found = [line for line in metrics.splitlines() if f'reason="{reason}"' in line and "_total" in line]
    return int(float(found[0].rpartition(" ")[2])) if found else 0


@pytest.mark.parametrize("suite", list(KemAlgorithm))
@pytest.mark.parametrize("seal", [False, True])
async def test_requests_within_a_session(consortium: Consortium, suite: KemAlgorithm, seal: bool) -> None:
    peer = await consortium.member("clinic")
    session = session_of(peer, seal=seal, suite=suite)
    for number in range(3):
        response = await peer.http.post("/v1/datasets", json={"name": f"vitals-{number}"}, auth=session)
        assert response.status_code == 201, response.text
        assert response.json()["name"] == f"vitals-{number}"
        report = response.extensions[REPORT]
        assert session.current is not None
        assert report.signed_by == session.current.id
        assert report.sealed_by == ("aes-256-gcm" if seal else None)
        assert ('alg="hmac-sha256"' in response.request.headers["signature-input"]) is True
        assert (b"vitals" not in response.request.content) is seal
    listed = (await get(peer, session, "/v1/sessions")).json()["sessions"]
    assert session.current is not None
    assert [entry["id"] for entry in listed] == [session.current.id]
    assert listed[0]["suite"] == suite.value


async def test_a_hybrid_client_opens_a_session_with_both_its_keys(consortium: Consortium) -> None:
    peer = await consortium.member("clinic", algorithms=(SignatureAlgorithm.ML_DSA_65, SignatureAlgorithm.ED25519))
    session = session_of(peer)
    me = (await get(peer, session)).json()
    assert {key["keyid"] for key in me["keys"]} == {key.keyid for key in peer.keys}


async def test_many_tasks_share_one_handshake(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    session = session_of(peer)
    responses = await asyncio.gather(*(get(peer, session) for _ in range(20)))
    assert {response.status_code for response in responses} == {200}
    assert len((await peer.ok("GET", "/v1/sessions"))["sessions"]) == 1


async def test_a_session_ends_for_every_worker_and_the_client_opens_another(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    session = session_of(peer)
    await get(peer, session)
    first = session.current
    assert first is not None
    assert (await peer.request("DELETE", f"/v1/sessions/{first.id}")).status_code == 204
    assert (await peer.request("DELETE", f"/v1/sessions/{first.id}")).status_code == 404
    assert (await get(peer, session)).status_code == 200
    assert session.current is not None
    assert session.current.id != first.id
    assert await reasons(consortium, "replayed-or-revoked") == 1


async def test_who_may_end_a_session(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    colleague = await consortium.member("clinic", "analyst")
    admin = await consortium.member("clinic", "admin")
    stranger = await consortium.member("hospital", "admin")
    session = session_of(peer)
    await get(peer, session)
    assert session.current is not None
    path = f"/v1/sessions/{session.current.id}"
    assert (await stranger.request("DELETE", path)).status_code == 404
    assert (await colleague.request("DELETE", path)).status_code == 403
    assert (await admin.request("DELETE", path)).status_code == 204


async def test_revoking_the_key_ends_its_sessions_and_their_secrets(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    session = session_of(peer)
    await get(peer, session)
    assert (await consortium.admin.request("GET", "/v1/clients/me")).status_code == 200
    assert (await peer.request("DELETE", f"/v1/keys/{peer.keys[0].keyid}")).status_code == 204
    with pytest.raises(ServerUnusable, match="401"):
        await get(peer, session)
    database = Database(consortium.settings.url)
    async with database.read() as view:
        rows = (await view.execute(text("SELECT status, length(secret) FROM sessions"))).all()
    await database.close()
    assert [tuple(row) for row in rows] == [("revoked", 0)]


async def test_lifetime_and_idle_time(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    session = session_of(peer)
    await get(peer, session)
    assert session.current is not None
    first = session.current
    for _ in range(7):
        consortium.clock.advance(500)
        assert (await get(peer, session)).status_code == 200
        assert session.current is first
    consortium.clock.advance(500)
    assert (await get(peer, session)).status_code == 200
    assert session.current is not first, "the session lives for an hour"

    second = session.current
    second.idle_timeout = 1e9  # the client does not notice
    consortium.clock.advance(700)
    assert (await get(peer, session)).status_code == 200
    assert session.current is not second
    assert await reasons(consortium, "session-over") == 1


async def test_request_limit_is_never_passed_and_a_rekey_comes_before_it(consortium: Consortium) -> None:
    settings = consortium.settings.model_copy(update={"session_max_requests": 40})
    async with started(settings) as consortium:
        peer = await consortium.member("clinic")
        session = session_of(peer)
        seen = set()
        for _ in range(100):
            assert (await get(peer, session)).status_code == 200
            assert session.current is not None
            seen.add(session.current.id)
        assert len(seen) == 4
        kinds = [entry["kind"] for entry in (await consortium.admin.ok("GET", "/v1/ledger"))["entries"]]
        assert kinds.count("session.opened") == 1
        assert kinds.count("session.rekeyed") == 3

        assert session.current is not None
        session.current.max_requests = 10**9  # the client does not count
        before = session.current.requests
        for _ in range(40 - before):
            assert (await get(peer, session)).status_code == 200
            assert session.current is not None
            assert session.current.id in seen
        assert (await get(peer, session)).status_code == 200
        assert session.current is not None
        assert session.current.id not in seen
        assert await reasons(consortium, "session-over") == 1


async def test_byte_limit(consortium: Consortium) -> None:
    settings = consortium.settings.model_copy(update={"session_max_bytes": 1 << 20})
    async with started(settings) as consortium:
        peer = await consortium.member("clinic")
        session = session_of(peer)
        assert (await peer.http.post("/v1/datasets", json={"name": "vitals"}, auth=session)).status_code == 201
        record = {"time": "2026-11-22T09:30:00Z", "attributes": {"note": "x" * 200_000}}

        statuses, used = [], set()

        async def post() -> None:
            statuses.append(
                (await peer.http.post("/v1/datasets/vitals/records", json=record, auth=session)).status_code
            )
            used.add(session.current.id if session.current else "")

        for _ in range(8):
            await post()
        assert set(statuses) == {201}, "what does not fit any more is sent after a rekey"
        assert len(used) == 3, "three bodies of 200 kB fit above the last quarter"
        while session.current is not None:
            session.current.max_bytes = 1 << 40  # the client does not count
            await post()
        assert statuses[-1] == 401, "a POST is not sent twice unasked: nobody signs a 401"
        await post()
        assert statuses[-1] == 201
        assert statuses.count(401) == 1
        stored = await peer.ok("GET", "/v1/datasets/vitals/records?limit=100")
        assert len(stored["records"]) == statuses.count(201)


async def test_the_oldest_session_makes_room(consortium: Consortium) -> None:
    settings = consortium.settings.model_copy(update={"session_max_per_client": 2})
    async with started(settings) as consortium:
        peer = await consortium.member("clinic")
        sessions = [session_of(peer) for _ in range(3)]
        for session in sessions:
            await get(peer, session)
            consortium.clock.advance(1)
        names = [session.current.id for session in sessions if session.current]
        listed = [entry["id"] for entry in (await peer.ok("GET", "/v1/sessions"))["sessions"]]
        assert listed == [names[2], names[1]]


async def test_a_restart_keeps_sessions_and_sweeps_expired_ones(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    session = session_of(peer)
    await get(peer, session)
    first = session.current
    assert first is not None
    async with started(consortium.settings) as again:
        same = replace(peer, http=again.http, clock=again.clock)
        session._auth._clock = lambda: again.clock().timestamp()
        assert (await get(same, session)).status_code == 200
        assert session.current is first


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"suite": "x-wing", "public_key": "AAAA"}, "/public_key"),
        ({"suite": "x-wing", "public_key": "A"}, "/public_key"),
        ({"suite": "x-wing", "public_key": "AA=="}, "/public_key"),
        ({"suite": "x-wing"}, "/public_key"),
        ({"suite": "ml-kem-512", "public_key": "AAAA"}, "/suite"),
        ({"suite": "x-wing", "public_key": "AAAA", "more": 1}, "/more"),
    ],
)
async def test_a_malformed_offer_is_refused_by_place(
    consortium: Consortium, body: dict[str, object], pointer: str
) -> None:
    peer = await consortium.member("clinic")
    response = await peer.request("POST", "/v1/sessions", body)
    assert response.status_code == 422
    assert pointer in {entry["pointer"] for entry in response.json()["errors"]}
