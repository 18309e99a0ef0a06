"""Organizations of the consortium."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.problem import places, problem
from tests.api.state import rows
from tests.consortium import OPERATOR, Consortium

pytestmark = pytest.mark.anyio


async def test_the_operator_creates_and_lists_organizations(consortium: Consortium) -> None:
    made = [await consortium.admin.ok("POST", "/v1/organizations", {"name": name}) for name in ("gamma", "beta")]
    assert [set(organization) for organization in made] == [{"id", "name", "created"}] * 2
    listed = (await consortium.admin.ok("GET", "/v1/organizations"))["organizations"]
    assert [organization["name"] for organization in listed] == ["beta", "gamma", OPERATOR]
    assert [organization for organization in listed if organization["name"] != OPERATOR] == made[::-1]
    assert len({organization["id"] for organization in listed}) == 3


async def test_a_name_is_taken_once(consortium: Consortium) -> None:
    await consortium.admin.ok("POST", "/v1/organizations", {"name": "beta"})
    before = await rows(consortium.app)
    for name in ("beta", "Beta", OPERATOR):
        conflict = problem(await consortium.admin.request("POST", "/v1/organizations", {"name": name}), 409, "conflict")
        assert conflict["detail"] == f"An organization named {name} exists already."
    assert places(await consortium.admin.request("POST", "/v1/organizations", {"name": "b", "operator": True})) == [
        "/operator"
    ]
    assert await rows(consortium.app) == before


async def test_names_that_differ_in_case_alone_are_one_name(consortium: Consortium) -> None:
    spellings = ["Beta", "beta", "BETA", "bEta"] * 3
    answers = await asyncio.gather(
        *(consortium.admin.request("POST", "/v1/organizations", {"name": name}) for name in spellings)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    assert len((await consortium.admin.ok("GET", "/v1/organizations"))["organizations"]) == 2
    assert len((await consortium.admin.ok("GET", "/v1/ledger"))["entries"]) == 2


async def test_an_admin_elsewhere_does_not_manage_organizations(consortium: Consortium) -> None:
    head = await consortium.member("alpha", "admin")
    before = await rows(consortium.app)
    problem(await head.request("GET", "/v1/organizations"), 403, "forbidden")
    problem(await head.request("POST", "/v1/organizations", {"name": "beta"}), 403, "forbidden")
    assert await rows(consortium.app) == before
