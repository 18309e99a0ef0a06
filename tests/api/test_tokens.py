"""Enrollment tokens: who issues them, for whom, for how long, and how often they are good."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta

import pytest

from crypto import PrivateKey, SignatureAlgorithm
from tests.api.problem import places, problem
from tests.api.state import rows
from tests.consortium import OPERATOR, Consortium, Peer, enrollment

pytestmark = pytest.mark.anyio


def stranger(consortium: Consortium) -> Peer:
    """Somebody with a new key and nothing else."""
    keys = [PrivateKey.generate(SignatureAlgorithm.ED25519)]
    return Peer(consortium.http, keys, consortium.clock)


async def test_a_token_names_what_it_grants(consortium: Consortium) -> None:
    await consortium.admin.ok("POST", "/v1/organizations", {"name": "alpha"})
    before = consortium.clock()
    token = await consortium.admin.ok("POST", "/v1/tokens", {"organization": "alpha", "role": "auditor"})
    after = consortium.clock()
    assert set(token) == {"id", "token", "organization", "role", "expires"}
    assert (token["organization"], token["role"]) == ("alpha", "auditor")
    assert token["token"].startswith("sat_")
    assert len(token["token"]) == 47
    day = timedelta(days=1)
    assert before + day <= datetime.fromisoformat(token["expires"]) <= after + day
    client = stranger(consortium)
    enrolled = await client.ok("POST", "/v1/clients", enrollment(token["token"], client.keys))
    assert (enrolled["organization"], enrolled["role"]) == ("alpha", "auditor")


async def test_only_its_digest_is_stored(consortium: Consortium) -> None:
    token = await consortium.admin.ok("POST", "/v1/tokens", {"organization": OPERATOR, "role": "analyst"})
    stored = repr(await rows(consortium.app))
    assert token["token"] not in stored
    assert hashlib.sha256(token["token"].encode()).hexdigest() in stored


async def test_an_admin_issues_tokens_of_his_own_organization_alone(consortium: Consortium) -> None:
    head = await consortium.member("alpha", "admin")
    await consortium.admin.ok("POST", "/v1/organizations", {"name": "beta"})
    assert (await head.ok("POST", "/v1/tokens", {"organization": "alpha", "role": "admin"}))["role"] == "admin"
    before = await rows(consortium.app)
    for organization in ("beta", OPERATOR, "nobody"):  # one answer, whether or not it exists
        response = await head.request("POST", "/v1/tokens", {"organization": organization, "role": "analyst"})
        assert problem(response, 403, "forbidden")["detail"] == (
            "Tokens of another organization are issued by the operator."
        )
    response = await consortium.admin.request("POST", "/v1/tokens", {"organization": "nobody", "role": "analyst"})
    problem(response, 404, "not-found")
    assert await rows(consortium.app) == before


async def test_a_token_is_good_once(consortium: Consortium) -> None:
    token = (await consortium.admin.ok("POST", "/v1/tokens", {"organization": OPERATOR, "role": "analyst"}))["token"]
    first, second = stranger(consortium), stranger(consortium)
    await first.ok("POST", "/v1/clients", enrollment(token, first.keys))
    before = await rows(consortium.app)
    problem(await second.request("POST", "/v1/clients", enrollment(token, second.keys)), 401, "authentication-failed")
    problem(await second.request("GET", "/v1/clients/me"), 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_of_many_who_race_for_a_token_one_wins(consortium: Consortium) -> None:
    token = (await consortium.admin.ok("POST", "/v1/tokens", {"organization": OPERATOR, "role": "analyst"}))["token"]
    racers = [stranger(consortium) for _ in range(12)]
    answers = await asyncio.gather(
        *(racer.request("POST", "/v1/clients", enrollment(token, racer.keys)) for racer in racers)
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 11]
    assert len((await rows(consortium.app))["clients"]) == 2


async def test_a_token_expires(consortium: Consortium) -> None:
    request = {"organization": OPERATOR, "role": "analyst", "expires_in": 60}
    late, timely = [(await consortium.admin.ok("POST", "/v1/tokens", request))["token"] for _ in range(2)]
    consortium.clock.advance(50)
    client = stranger(consortium)
    await client.ok("POST", "/v1/clients", enrollment(timely, client.keys))
    consortium.clock.advance(11)
    client = stranger(consortium)
    before = await rows(consortium.app)
    problem(await client.request("POST", "/v1/clients", enrollment(late, client.keys)), 401, "authentication-failed")
    assert await rows(consortium.app) == before


async def test_its_life_has_bounds(consortium: Consortium) -> None:
    request = {"organization": OPERATOR, "role": "analyst"}
    month = 30 * 86_400
    for seconds in (60, month):
        now = consortium.clock()
        token = await consortium.admin.ok("POST", "/v1/tokens", {**request, "expires_in": seconds})
        life = datetime.fromisoformat(token["expires"]) - now
        assert abs(life - timedelta(seconds=seconds)) < timedelta(seconds=30)
    before = await rows(consortium.app)
    for refused in (59, month + 1, 0, -60, 60.5, "3600", None, True, 2**53 - 1):
        response = await consortium.admin.request("POST", "/v1/tokens", {**request, "expires_in": refused})
        assert places(response) == ["/expires_in"], refused
    for role in ("root", "Admin", "", None, 1):
        response = await consortium.admin.request("POST", "/v1/tokens", {**request, "role": role})
        assert places(response) == ["/role"], role
    assert places(await consortium.admin.request("POST", "/v1/tokens", {})) == ["/organization", "/role"]
    assert await rows(consortium.app) == before
