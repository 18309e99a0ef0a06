"""Alerts: who sees which, how they are labeled, and what labels and restrictions do."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from secure_api.app import create_app
from secure_api.client import REPORT, Session, SignatureAuth
from secure_api.domain.alerts import BehaviorMode
from secure_api.domain.errors import BehaviorMissing
from secure_api.settings import Settings
from tests.api.problem import problem
from tests.api.running import altered, started
from tests.consortium import AUTHORITY, OPERATOR, Consortium, Peer, server_key

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(settings: Settings, mode: BehaviorMode = BehaviorMode.OBSERVE) -> AsyncIterator[Consortium]:
    """An application that exchanges findings often."""
    async with started(altered(settings, behavior=mode, behavior_interval=0.05)) as consortium:
        yield consortium


async def walk_foreign_objects(peer: Peer, times: int = 9) -> list[int]:
    """Ask for studies that are not there; returns the statuses."""
    return [(await peer.request("GET", f"/v1/studies/{uuid4()}")).status_code for _ in range(times)]


async def replay(peer: Peer) -> None:
    """Send one request twice."""
    message = peer.sign("GET", "/v1/clients/me")
    assert [(await peer.send(message)).status_code for _ in range(2)] == [200, 401]


async def alerts_of(peer: Peer, count: int = 1, query: str = "") -> list[dict[str, Any]]:
    """Wait until a peer sees so many alerts."""
    while len(alerts := (await peer.ok("GET", f"/v1/alerts{query}"))["alerts"]) < count:  # noqa: ASYNC110 - it is the server that is awaited
        await asyncio.sleep(0.02)
    return list(alerts)


async def test_a_walk_over_foreign_objects_is_an_alert_of_the_clients_organization(settings: Settings) -> None:
    async with watching(settings) as consortium:
        head = await consortium.member("alpha", "admin")
        auditor = await consortium.member("alpha", "auditor")
        thief = await consortium.member("alpha", "analyst")
        assert set(await walk_foreign_objects(thief)) == {404}
        (alert,) = await alerts_of(head)
        assert alert["subject"] == "client"
        assert alert["rule"] == "foreign objects"
        assert alert["state"] == "open"
        assert alert["key"] == (await thief.ok("GET", "/v1/clients/me"))["id"]
        assert alert["seen"] == 9 - 1  # the rule speaks at the eighth
        assert "asked for that are missing or belong to others" in alert["text"]
        assert alert["routes"][-1] == "GET /v1/studies/{id}"
        assert len(alert["reasons"]) == 3
        assert await auditor.ok("GET", f"/v1/alerts/{alert['id']}") == alert
        for stranger in (consortium.admin, await consortium.member("beta", "admin")):
            assert (await stranger.ok("GET", "/v1/alerts"))["alerts"] == []
            problem(await stranger.request("GET", f"/v1/alerts/{alert['id']}"), 404, "not-found")
            label = {"label": "false"}
            problem(await stranger.request("PUT", f"/v1/alerts/{alert['id']}/label", label), 404, "not-found")
        problem(await thief.request("GET", f"/v1/alerts/{alert['id']}"), 403, "forbidden")
        problem(await auditor.request("PUT", f"/v1/alerts/{alert['id']}/label", {"label": "true"}), 403, "forbidden")


async def test_a_replayed_nonce_is_the_operators_alert_about_a_network(embedded: Settings) -> None:
    async with watching(embedded) as consortium:
        alice = await consortium.member("alpha")
        auditor = await consortium.member(OPERATOR, "auditor")
        await replay(alice)
        (alert,) = await alerts_of(auditor)
        assert (alert["subject"], alert["rule"]) == ("network", "replayed nonce")
        assert "127.0.0" not in str(alert)


async def test_a_revoked_key_is_no_replay(embedded: Settings) -> None:
    async with watching(embedded) as consortium:
        head = await consortium.member("alpha", "admin")
        alice = await consortium.member("alpha")
        await head.request("DELETE", f"/v1/keys/{alice.keys[0].public_key.keyid}")
        assert (await alice.request("GET", "/v1/clients/me")).status_code == 401
        await replay(head)
        (alert,) = await alerts_of(consortium.admin)  # of the replay that came later, alone
        assert alert["requests"] == 1


async def refused_for_now(peer: Peer, slug: str, status: int, **options: Any) -> None:
    """Wait until a peer's requests are refused, with this problem."""
    while (response := await peer.request("GET", "/v1/clients/me", **options)).is_success:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    problem(response, status, slug)


async def test_a_block_is_opaque_in_the_ledger_and_ends_by_a_label(settings: Settings) -> None:
    async with watching(settings, BehaviorMode.ENFORCE) as consortium:
        head = await consortium.member("alpha", "admin")
        thief = await consortium.member("alpha", "analyst")
        await walk_foreign_objects(thief)
        await refused_for_now(thief, "authentication-failed", 401)
        (alert,) = await alerts_of(head)
        assert alert["action"] == "block"
        assert (await head.request("GET", "/v1/clients/me")).status_code == 200
        entries = (await head.ok("GET", "/v1/ledger?limit=1000"))["entries"]
        blocked = [entry["payload"] for entry in entries if entry["kind"] == "behavior.blocked"]
        assert [(entry["alert"], entry["rule"]) for entry in blocked] == [(alert["id"], "foreign objects")]
        body = {"label": "expected-automation", "note": "looks for results that are not there yet"}
        labeled = await head.ok("PUT", f"/v1/alerts/{alert['id']}/label", body)
        assert (labeled["state"], labeled["label"], labeled["note"]) == ("labeled", body["label"], body["note"])
        while (await thief.request("GET", "/v1/clients/me")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_block_ends_by_itself(embedded: Settings) -> None:
    async with watching(embedded, BehaviorMode.ENFORCE) as consortium:
        thief = await consortium.member("alpha", "analyst")
        await walk_foreign_objects(thief)
        await refused_for_now(thief, "authentication-failed", 401)
        consortium.clock.advance(890)
        assert (await thief.request("GET", "/v1/clients/me")).status_code == 401
        consortium.clock.advance(20)
        assert (await thief.request("GET", "/v1/clients/me")).status_code == 200


async def test_a_clock_that_is_set_back_makes_no_block_last_longer(embedded: Settings) -> None:
    async with watching(embedded, BehaviorMode.ENFORCE) as consortium:
        thief = await consortium.member("alpha", "analyst")
        consortium.clock.advance(7_200)
        await walk_foreign_objects(thief)
        await refused_for_now(thief, "authentication-failed", 401)
        consortium.clock.advance(-7_200)
        while (await thief.request("GET", "/v1/clients/me")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def elsewhere(consortium: Consortium, peer: Peer, address: str) -> Peer:
    """The same client on another network."""
    transport = httpx.ASGITransport(consortium.app, raise_app_exceptions=False, client=(address, 50_000))
    http = httpx.AsyncClient(transport=transport, base_url=f"http://{AUTHORITY}")
    return Peer(http, peer.keys, peer.clock, peer.authority)


async def test_a_network_that_nobody_signs_from_is_blocked_for_replays(embedded: Settings) -> None:
    async with watching(embedded, BehaviorMode.ENFORCE) as consortium:
        alice = await consortium.member("alpha")
        thief = elsewhere(consortium, alice, "198.51.100.7")
        message = alice.sign("GET", "/v1/clients/me")
        assert (await alice.send(message)).status_code == 200
        assert (await thief.send(message)).status_code == 401
        (alert,) = await alerts_of(consortium.admin)
        assert (alert["subject"], alert["action"]) == ("network", "block")
        neighbor = elsewhere(consortium, alice, "198.51.100.99")
        assert (await neighbor.request("GET", "/v1/clients/me")).status_code == 401
        assert (await alice.request("GET", "/v1/clients/me")).status_code == 200
        assert (await elsewhere(consortium, alice, "198.51.101.7").request("GET", "/v1/clients/me")).status_code == 200
        metrics = (await consortium.http.get("/metrics")).text
        assert 'secure_api_authentication_failures_total{reason="blocked"} 1.0' in metrics
        entries = (await consortium.admin.ok("GET", "/v1/ledger?limit=1000"))["entries"]
        assert [entry["payload"]["rule"] for entry in entries if entry["kind"] == "behavior.blocked"] == [
            "replayed nonce"
        ]


@pytest.mark.parametrize("seal", [False, True])
async def test_within_a_session_a_client_must_sign_when_its_network_stands_out(embedded: Settings, seal: bool) -> None:
    async with watching(embedded, BehaviorMode.ENFORCE) as consortium:
        alice = await consortium.member("alpha")
        auth = SignatureAuth(*alice.keys, server_key=server_key().public_key, clock=lambda: alice.clock().timestamp())
        session = Session(auth, seal=seal)
        assert (await alice.http.get("/v1/clients/me", auth=session)).status_code == 200
        await replay(alice)  # from the network that alice signs from
        (alert,) = await alerts_of(consortium.admin)
        assert alert["action"] == "sign"
        with capture_logs() as logs:
            made = await alice.http.post("/v1/datasets", json={"name": "stays"}, auth=session)
        assert made.status_code == 201, "refused within the session, and signed"
        statuses = [entry["status"] for entry in logs if entry["event"] == "request"]
        assert (statuses[0], statuses[-1]) == (403, 201)
        assert made.extensions[REPORT].signed_by == server_key().public_key.keyid
        with capture_logs() as logs:
            assert (await alice.http.get("/v1/clients/me", auth=session)).status_code == 200
        assert [entry["status"] for entry in logs if entry["event"] == "request"] == [200], "signed at once"
        consortium.clock.advance(700)
        again = await alice.http.get("/v1/clients/me", auth=session)
        assert again.status_code == 200
        assert again.extensions[REPORT].signed_by == session.current.id if session.current else ""


async def test_snapshots_are_taken_while_it_runs(embedded: Settings) -> None:
    async with started(altered(embedded, behavior_interval=0.05, behavior_save_interval=1.0)) as consortium:
        await consortium.admin.ok("GET", "/v1/clients/me")
        while not list(embedded.home.glob("behavior-*.state")):  # noqa: ASYNC110 - a thread's business
            await asyncio.sleep(0.05)


def test_without_the_extra_it_is_off_unless_asked_for(embedded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anomaly.watch", None)
    with capture_logs() as logs:
        assert create_app(Settings(home=embedded.home)).state.behavior is None
    assert [line["event"] for line in logs] == ["behavior analysis is off"]
    with pytest.raises(BehaviorMissing, match=re.escape("secure-api[behavior]")):
        create_app(altered(embedded, behavior=BehaviorMode.OBSERVE))


async def test_nothing_is_refused_while_only_observing(embedded: Settings) -> None:
    async with watching(embedded) as consortium:
        head = await consortium.member("alpha", "admin")
        thief = await consortium.member("alpha", "analyst")
        assert set(await walk_foreign_objects(thief, 30)) == {404}
        await alerts_of(head)
        assert set(await walk_foreign_objects(thief, 3)) == {404}


async def test_the_kill_switch(embedded: Settings) -> None:
    async with started(altered(embedded, behavior=BehaviorMode.OFF)) as consortium:
        assert consortium.app.state.behavior is None
        thief = await consortium.member("alpha", "analyst")
        assert set(await walk_foreign_objects(thief)) == {404}
        await replay(thief)
        head = await consortium.member("alpha", "admin")
        assert (await head.ok("GET", "/v1/alerts")) == {"alerts": [], "next": None}
    assert not list(embedded.home.glob("behavior-*"))


async def test_a_detector_that_fails_harms_no_request(embedded: Settings) -> None:
    async with watching(embedded, BehaviorMode.ENFORCE) as consortium:
        watcher = consortium.app.state.behavior.watcher
        watcher.watch = None  # everything that the thread does raises
        head = await consortium.member("alpha", "admin")
        assert set(await walk_foreign_objects(head, 20)) == {404}
        assert (await head.request("GET", "/v1/clients/me")).status_code == 200
        while watcher.counts.failures < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        metrics = (await consortium.http.get("/metrics")).text
        assert "secure_api_behavior_failures_total" in metrics
        assert watcher.counts.events == 0


async def test_labels_are_ledger_entries_as_often_as_something_changes(embedded: Settings) -> None:
    async with watching(embedded) as consortium:
        head = await consortium.member("alpha", "admin")
        await walk_foreign_objects(await consortium.member("alpha", "analyst"))
        (alert,) = await alerts_of(head)
        path = f"/v1/alerts/{alert['id']}/label"
        for _ in range(3):
            assert (await head.ok("PUT", path, {"label": "true"}))["labeled_by"]
        for number in range(9):
            await head.ok("PUT", path, {"label": ("false", "true")[number % 2]})
        problem(await head.request("PUT", path, {"label": "true", "note": "once more"}), 409, "conflict")
        for body in ({"label": "maybe"}, {"label": "true", "note": ""}, {"label": "true", "note": "x" * 501}, {}):
            problem(await head.request("PUT", path, body), 422, "validation-failed")
        entries = (await head.ok("GET", "/v1/ledger?limit=1000"))["entries"]
        labels = [entry["payload"]["label"] for entry in entries if entry["kind"] == "alert.labeled"]
        assert labels == ["true", *["false", "true"] * 4, "false"]


async def test_pages_and_filters(embedded: Settings) -> None:
    async with watching(embedded) as consortium:
        head = await consortium.member("alpha", "admin")
        thieves = [await consortium.member("alpha", "analyst") for _ in range(3)]
        for number, thief in enumerate(thieves, start=1):
            await walk_foreign_objects(thief)
            await alerts_of(head, number)
        everything = await alerts_of(head, 3)
        page = await head.ok("GET", "/v1/alerts?limit=2")
        assert page == {"alerts": everything[:2], "next": everything[1]["sequence"]}
        assert await head.ok("GET", f"/v1/alerts?after={page['next']}") == {"alerts": everything[2:], "next": None}
        await head.ok("PUT", f"/v1/alerts/{everything[1]['id']}/label", {"label": "true"})
        assert [alert["id"] for alert in await alerts_of(head, 1, "?state=labeled")] == [everything[1]["id"]]
        assert len(await alerts_of(head, 2, "?state=open")) == 2
        later = everything[2]["last"]
        assert await alerts_of(head, 1, f"?since={later}") == everything[2:]
        for query in ("state=closed", "since=yesterday", "limit=0", "after=-1"):
            problem(await head.request("GET", f"/v1/alerts?{query}"), 422, "validation-failed")
        problem(await head.request("GET", f"/v1/alerts/{uuid4()}"), 404, "not-found")
        problem(await head.request("GET", "/v1/alerts/none"), 422, "validation-failed")


async def test_what_was_learned_survives_a_restart(embedded: Settings) -> None:
    async with watching(embedded) as consortium:
        for _ in range(5):
            await consortium.admin.ok("GET", "/v1/clients/me")
    async with watching(embedded) as consortium:
        assert consortium.app.state.behavior.watcher.watch.seen == 5
