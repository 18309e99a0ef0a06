"""What a server demands of signatures: policy, algorithms, window, skew, authorities, and who may sign together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import text

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.domain.signature_policy import SignaturePolicy
from secure_api.settings import Settings
from tests.api.asgi import body, drive, scope_of
from tests.api.problem import problem
from tests.api.running import altered, started
from tests.api.state import rows
from tests.consortium import Consortium, Peer, enrollment

pytestmark = pytest.mark.anyio

ED25519, ML_DSA_44, ML_DSA_65 = (
    SignatureAlgorithm.ED25519,
    SignatureAlgorithm.ML_DSA_44,
    SignatureAlgorithm.ML_DSA_65,
)
ANY, POST_QUANTUM, HYBRID = SignaturePolicy.ANY, SignaturePolicy.POST_QUANTUM, SignaturePolicy.HYBRID


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def accepted(peer: Peer) -> bool:
    """Whether the server believes a client."""
    response = await peer.request("GET", "/v1/clients/me")
    if response.status_code != 200:
        problem(response, 401, "authentication-failed")
    return response.status_code == 200


async def members(settings: Settings) -> dict[str, list[PrivateKey]]:
    """Clients of every kind, enrolled while any signature would do."""
    kinds = {"classical": (ED25519,), "lattice": (ML_DSA_44,), "pair": (ML_DSA_44, ED25519)}
    async with started(settings) as consortium:
        return {
            kind: list((await consortium.member("alpha", algorithms=algorithms)).keys)
            for kind, algorithms in kinds.items()
        }


@pytest.mark.parametrize(
    ("policy", "believed"),
    [
        (ANY, {"classical", "lattice", "pair"}),
        (POST_QUANTUM, {"lattice", "pair"}),
        (HYBRID, {"pair"}),
    ],
)
async def test_a_server_demands_what_its_policy_says(
    embedded: Settings, policy: SignaturePolicy, believed: set[str]
) -> None:
    keys = await members(embedded)
    async with started(altered(embedded, signature_policy=policy)) as consortium:
        for kind, signing in keys.items():
            peer = Peer(consortium.http, signing, consortium.clock)
            assert await accepted(peer) is (kind in believed), kind


@pytest.mark.parametrize(
    ("policy", "enrolled"),
    [
        (POST_QUANTUM, {"lattice", "pair"}),
        (HYBRID, {"pair"}),
    ],
)
async def test_a_newcomer_must_satisfy_it_too(
    embedded: Settings, stack: AsyncExitStack, policy: SignaturePolicy, enrolled: set[str]
) -> None:
    async with started(embedded) as consortium:
        tokens = [
            (await consortium.admin.ok("POST", "/v1/tokens", {"organization": "operator", "role": "analyst"}))["token"]
            for _ in range(3)
        ]
    consortium = await stack.enter_async_context(started(altered(embedded, signature_policy=policy)))
    kinds = {"classical": (ED25519,), "lattice": (ML_DSA_44,), "pair": (ED25519, ML_DSA_65)}
    for token, (kind, algorithms) in zip(tokens, kinds.items(), strict=True):
        keys = [PrivateKey.generate(algorithm) for algorithm in algorithms]
        peer = Peer(consortium.http, keys, consortium.clock)
        before = await rows(consortium.app)
        response = await peer.request("POST", "/v1/clients", enrollment(token, keys))
        if kind in enrolled:
            assert response.status_code == 201, response.text
        else:
            problem(response, 401, "authentication-failed")
            assert await rows(consortium.app) == before


async def test_rotation_cannot_lead_below_the_policy(embedded: Settings) -> None:
    keys = await members(embedded)
    async with started(altered(embedded, signature_policy=HYBRID)) as consortium:
        peer = Peer(consortium.http, keys["pair"], consortium.clock)
        before = await rows(consortium.app)
        for algorithm in (ED25519, ML_DSA_44):
            new = [PrivateKey.generate(algorithm)]
            presented = {"keys": [key.public_key.jwk() for key in new]}
            response = await peer.request("POST", "/v1/clients/me/keys", presented, keys=[*peer.keys, *new])
            problem(response, 401, "authentication-failed")
        assert await rows(consortium.app) == before


async def test_only_allowed_algorithms_are_believed(embedded: Settings) -> None:
    keys = await members(embedded)
    allowed = frozenset({ED25519, ML_DSA_65})
    async with started(altered(embedded, signature_algorithms=allowed)) as consortium:
        believed = {
            kind for kind, signing in keys.items() if await accepted(Peer(consortium.http, signing, consortium.clock))
        }
        assert believed == {"classical"}
        assert await accepted(consortium.admin)
        token = (await consortium.admin.ok("POST", "/v1/tokens", {"organization": "alpha", "role": "analyst"}))["token"]
        new = [PrivateKey.generate(ML_DSA_44)]
        newcomer = Peer(consortium.http, new, consortium.clock)
        before = await rows(consortium.app)
        problem(await newcomer.request("POST", "/v1/clients", enrollment(token, new)), 401, "authentication-failed")
        assert await rows(consortium.app) == before


async def test_the_window_and_the_skew_are_the_servers(embedded: Settings) -> None:
    async with started(altered(embedded, signature_max_window=60, signature_clock_skew=2)) as consortium:
        admin = consortium.admin
        consortium.clock.advance(1_000)  # requests older than a server's memory of nonces are refused anyway

        async def status(ahead: float, lifetime: int) -> int:
            now = consortium.clock().replace(microsecond=0)
            shifted = now.fromtimestamp(now.timestamp() + ahead, now.tzinfo)
            return (await admin.request("GET", "/v1/clients/me", now=shifted, lifetime=lifetime)).status_code

        assert await status(0, 60) == 200
        assert await status(0, 61) == 401
        assert await status(2, 10) == 200
        assert await status(30, 10) == 401
        assert await status(-40, 60) == 200
        assert await status(-40, 10) == 401


async def test_a_request_that_expires_while_its_body_is_on_the_way_is_refused(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        message = consortium.admin.sign("POST", "/v1/datasets", {"name": "vitals"}, lifetime=10)

        def slowly(seconds: float) -> Iterator[dict[str, Any]]:
            consortium.clock.advance(seconds)
            yield from body(message.body)

        answer = await drive(consortium.app, scope_of(message), slowly(20))
        assert (answer.status, answer.problem) == (401, "authentication-failed")
        consortium.clock.advance(-10)
        answer = await drive(consortium.app, scope_of(message), slowly(2))
        assert answer.status == 201, "nothing was spent before"


async def test_a_server_answers_to_its_authorities_alone(embedded: Settings) -> None:
    names = frozenset({"api.example.org", "testserver:8443"})
    async with started(altered(embedded, authorities=names)) as consortium:
        for authority, believed in (
            ("api.example.org", True),
            ("API.Example.ORG", True),
            ("testserver:8443", True),
            ("testserver", False),
            ("api.example.org:8443", False),
            ("api.example.org.", False),
            ("evil.example.org", False),
        ):
            peer = Peer(consortium.http, consortium.admin.keys, consortium.clock, authority)
            assert await accepted(peer) is believed, authority
        message = consortium.admin.sign("GET", "/v1/clients/me", authority="api.example.org").with_header("host", "")
        problem(await consortium.admin.send(message), 401, "authentication-failed")


async def test_clients_do_not_sign_together(consortium: Consortium) -> None:
    alice, bob = await consortium.member("alpha"), await consortium.member("alpha")
    before = await rows(consortium.app)
    response = await alice.request("POST", "/v1/datasets", {"name": "a"}, keys=[*alice.keys, *bob.keys])
    problem(response, 401, "authentication-failed")
    assert await rows(consortium.app) == before


@pytest.mark.parametrize(
    "change",
    [
        "algorithm = 'rsa'",
        "algorithm = 'ml-dsa-44'",
        "public_key = :garbage",
        "public_key = :other",
    ],
)
async def test_a_stored_key_that_is_not_the_one_of_its_keyid_verifies_nothing(
    consortium: Consortium, change: str
) -> None:
    alice = await consortium.member("alpha", algorithms=(ED25519,))
    other = PrivateKey.generate(ED25519)
    values = {"garbage": b"garbage", "other": other.public_key.raw, "keyid": alice.keys[0].public_key.keyid}
    statement = text(f"UPDATE keys SET {change} WHERE keyid = :keyid")
    wanted = {name: values[name] for name in statement.compile().params}
    async with consortium.app.state.server.database.write() as session:
        await session.execute(statement, wanted)
    problem(await alice.request("GET", "/v1/clients/me"), 401, "authentication-failed")
