"""Sessions and sealing keys whose time is over. The server's clock is moved, so it runs in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from crypto import KemAlgorithm, KemPrivateKey, SealingPublicKey
from secure_api.settings import Settings
from tests.api.running import altered, started
from tests.api.state import rows
from tests.attacks.forgery import Forgery
from tests.attacks.handshake import SESSIONS, Handshake, Held, offer_body, rekeying, unbase64url
from tests.attacks.seal import Target, fresh_reply_key, seal_to
from tests.attacks.stage import Member, dataset_body
from tests.attacks.wire import Reply
from tests.consortium import AUTHORITY, Consortium, Peer, make_home, server_key
from tests.installations import anyio_backend

__all__ = ["anyio_backend"]
pytestmark = pytest.mark.anyio

LIFETIME, IDLE, DRAIN = 3_600, 600, 10
LEASE = 15  # seconds by which a session may outlive its idle time
SEALING_LIFETIME, OVERLAP, GRACE = 600, 300, 3_600


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a server whose database is initialized."""
    if request.param == "sqlite":
        return Settings(home=make_home(tmp_path / "home", request.getfixturevalue("sqlite_template")))
    url = request.getfixturevalue("postgresql_database")
    return Settings(home=make_home(tmp_path / "home", None), database_url=SecretStr(url), database_pool=4)


@pytest.fixture
async def consortium(settings: Settings) -> AsyncIterator[Consortium]:
    """The application, started and ready; its sealing keys are short-lived."""
    async with started(altered(settings, sealing_key_lifetime=SEALING_LIFETIME)) as consortium:
        yield consortium


async def send(peer: Peer, forgery: Forgery) -> Reply:
    """Send a request that is created now by the server's clock."""
    response = await peer.send(timed(peer, forgery).message())
    return Reply(response.status_code, tuple(response.headers.items()), response.content)


def timed(peer: Peer, forgery: Forgery) -> Forgery:
    """The request as it would be made now."""
    now = int(peer.clock().timestamp())
    return forgery.giving(created=str(now), expires=str(now + 60))


async def finished(peer: Peer, handshake: Handshake) -> Held:
    """Complete a handshake."""
    handshake = replace(handshake, requests=[timed(peer, handshake.requests[0])])
    response = await peer.send(handshake.message())
    assert response.status_code == 201, response.text
    return handshake.finish(Reply(response.status_code, (), response.content))


async def open_session(peer: Peer) -> Held:
    """Open a session."""
    ephemeral = KemPrivateKey.generate(KemAlgorithm.X_WING)
    request = Forgery(peer.keys[0], AUTHORITY, target=SESSIONS, body=offer_body(ephemeral))
    return await finished(peer, Handshake(Member("", peer.keys), ephemeral, [request], server_key().keyid))


async def assert_alive(peer: Peer, held: Held) -> None:
    """Check that a request within the session is believed."""
    reply = await send(peer, held.forge())
    assert reply.status == 201, reply


async def assert_over(consortium: Consortium, peer: Peer, held: Held, *reasons: str) -> None:
    """Check that a request within the session is not believed, and changes nothing."""
    before, counted = await rows(consortium.app), await refusals(consortium, *reasons)
    for forgery in (held.forge(), rekeying(held).requests[0]):
        reply = await send(peer, forgery)
        assert reply.status == 401
        assert reply.json["type"].endswith("authentication-failed")
        assert "signature" not in dict(reply.headers)
    assert await rows(consortium.app) == before
    assert await refusals(consortium, *reasons) == counted + 2


async def refusals(consortium: Consortium, *reasons: str) -> int:
    """How many requests were refused for these reasons."""
    metrics = (await consortium.http.get("/metrics")).text.splitlines()
    found = [line for line in metrics if "_total{" in line and any(f'reason="{reason}"' in line for reason in reasons)]
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


async def test_the_lifetime(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    held = await open_session(peer)
    for _ in range(LIFETIME // 400 - 1):
        consortium.clock.advance(400)
        await assert_alive(peer, held)
    consortium.clock.advance(held.answer["expires"] - consortium.clock().timestamp() - 1)
    await assert_alive(peer, held)
    consortium.clock.advance(2)
    await assert_over(consortium, peer, held, "replayed-or-revoked", "session-over")
    assert (await peer.ok("GET", SESSIONS))["sessions"] == []
    assert (await peer.request("DELETE", f"{SESSIONS}/{held.id}")).status_code == 404


@pytest.mark.parametrize("used", [False, True])
async def test_the_idle_time(consortium: Consortium, used: bool) -> None:
    peer = await consortium.member("clinic")
    held = await open_session(peer)
    if used:
        await assert_alive(peer, held)
    consortium.clock.advance(IDLE - 2)
    await assert_alive(peer, held)
    consortium.clock.advance(IDLE + LEASE + 1)
    await assert_over(consortium, peer, held, "session-over")


async def test_whoever_is_not_believed_keeps_no_session_awake(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    held = await open_session(peer)
    await assert_alive(peer, held)
    for _ in range(3):
        consortium.clock.advance((IDLE + LEASE + 1) / 3)
        forged = timed(peer, held.forge())
        assert (await peer.send(forged.message(bytes(32)))).status_code == 401
    await assert_over(consortium, peer, held, "session-over")


async def test_the_drain_of_a_session_that_was_rekeyed(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    first = await open_session(peer)
    await assert_alive(peer, first)
    second = await finished(peer, rekeying(first))
    consortium.clock.advance(DRAIN - 2)
    await assert_alive(peer, first)
    consortium.clock.advance(4)
    await assert_over(consortium, peer, first, "replayed-or-revoked", "session-over")
    await assert_alive(peer, second)


async def test_a_chain_of_rekeys_does_not_outlive_the_first_session(consortium: Consortium) -> None:
    """A session that is stolen ends for the thief, too, when it would have ended for its owner."""
    peer = await consortium.member("clinic")
    first = held = await open_session(peer)
    for _ in range(LIFETIME // 400 - 1):
        consortium.clock.advance(400)
        held = await finished(peer, rekeying(held))
        assert held.answer["expires"] == first.answer["expires"]
    consortium.clock.advance(LIFETIME - 400 * (LIFETIME // 400 - 1) + 2)
    await assert_over(consortium, peer, held, "replayed-or-revoked", "session-over")


async def test_a_request_of_before_is_not_believed_later(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    held = await open_session(peer)
    message = timed(peer, held.forge()).message()
    consortium.clock.advance(66)
    before = await rows(consortium.app)
    assert (await peer.send(message)).status_code == 401
    assert await rows(consortium.app) == before
    await assert_alive(peer, held)


async def test_a_handshake_of_before_opens_nothing_later(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    ephemeral = KemPrivateKey.generate(KemAlgorithm.X_WING)
    message = timed(peer, Forgery(peer.keys[0], AUTHORITY, target=SESSIONS, body=offer_body(ephemeral))).message()
    consortium.clock.advance(66)
    before = await rows(consortium.app)
    assert (await peer.send(message)).status_code == 401
    assert await rows(consortium.app) == before


async def published(consortium: Consortium) -> dict[str, Any]:
    """The newest sealing key, as the server publishes it."""
    document = (await consortium.http.get("/.well-known/secure-api")).json()
    entry: dict[str, Any] = document["sealing"]["keys"][0]
    return entry


async def test_a_sealing_key_opens_until_it_expires_and_never_after(consortium: Consortium) -> None:
    peer = await consortium.member("clinic")
    entry = await published(consortium)
    target = Target(str(entry["kid"]), SealingPublicKey(unbase64url(str(entry["public_key"]))))
    keyring = consortium.app.state.server.keyring

    async def sealed() -> Reply:
        forgery = Forgery(peer.keys[0], AUTHORITY, body=dataset_body())
        return await send(peer, seal_to(timed(peer, forgery), target, fresh_reply_key()))

    assert (await sealed()).status == 201
    consortium.clock.advance(int(entry["expires"]) - consortium.clock().timestamp() - 2)
    for refresh in (False, True):
        if refresh:
            await keyring.refresh()
        assert (await sealed()).status == 201, "the key is in its grace"
    recorded = await peer.http.get("/.well-known/secure-api")
    assert entry["kid"] not in recorded.text, "and is not given to anybody any more"
    consortium.clock.advance(4)
    for refresh in (False, True):
        if refresh:
            await keyring.refresh()
        before = await rows(consortium.app)
        reply = await sealed()
        assert await rows(consortium.app) == before
        assert (reply.status, reply.json["type"].rpartition(":")[2]) == (400, "sealed-body-rejected")
    stored = [row for row in (await rows(consortium.app))["sealing_keys"] if entry["kid"] in row]
    assert stored == [], "its seed is gone: nobody can open what was recorded"
