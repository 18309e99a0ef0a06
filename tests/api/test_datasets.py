"""Datasets: create, list, and whose they are."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.api.problem import places, problem
from tests.api.state import rows
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio


async def test_a_dataset_is_created_and_listed_by_name(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    assert await alice.ok("GET", "/v1/datasets") == {"datasets": []}
    before = consortium.clock()
    made = [await alice.ok("POST", "/v1/datasets", {"name": name}) for name in ("vitals", "1-lab.x_y", "a")]
    after = consortium.clock()
    for dataset, name in zip(made, ("vitals", "1-lab.x_y", "a"), strict=True):
        assert set(dataset) == {"name", "created"}
        assert dataset["name"] == name
        assert before <= datetime.fromisoformat(dataset["created"]) <= after
    listed = (await alice.ok("GET", "/v1/datasets"))["datasets"]
    assert listed == sorted(made, key=lambda dataset: str(dataset["name"]))


async def test_a_name_is_taken_once_in_each_organization(consortium: Consortium) -> None:
    alice, bob = await consortium.member("alpha"), await consortium.member("beta")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    before = await rows(consortium.app)
    conflict = problem(await alice.request("POST", "/v1/datasets", {"name": "vitals"}), 409, "conflict")
    assert conflict["detail"] == "A dataset named vitals exists already."
    assert await rows(consortium.app) == before
    await bob.ok("POST", "/v1/datasets", {"name": "vitals"})
    assert len((await bob.ok("GET", "/v1/datasets"))["datasets"]) == 1


async def test_names_are_plain(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    longest = "n" * 63
    assert (await alice.ok("POST", "/v1/datasets", {"name": longest}))["name"] == longest
    before = await rows(consortium.app)
    refused = ["", "_a", "a b", "-a", ".a", "a/b", "ä", "a\n", "a" * 64, "../a", 1, None, ["a"], True]
    for name in refused:
        response = await alice.request("POST", "/v1/datasets", {"name": name})
        assert places(response) == ["/name"], name
    assert await rows(consortium.app) == before


async def test_the_body_is_an_object_of_known_members(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    before = await rows(consortium.app)
    assert places(await alice.request("POST", "/v1/datasets", {"name": "a", "owner": "beta", "x~/y": 1})) == [
        "/owner",
        "/x~0~1y",
    ]
    assert places(await alice.request("POST", "/v1/datasets", {})) == ["/name"]
    bodies: list[object] = [[], "a", 1, b"null", b""]
    for body in bodies:
        assert places(await alice.request("POST", "/v1/datasets", body)) == [""], body
    assert await rows(consortium.app) == before


async def test_another_organizations_dataset_does_not_exist(consortium: Consortium) -> None:
    alice, bob = await consortium.member("alpha"), await consortium.member("beta")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    assert await bob.ok("GET", "/v1/datasets") == {"datasets": []}
    path = "/v1/datasets/vitals/records"
    foreign = problem(await bob.request("GET", path), 404, "not-found")
    missing = problem(await bob.request("GET", "/v1/datasets/nothing/records"), 404, "not-found")
    assert foreign["detail"].replace("vitals", "nothing") == missing["detail"]
    record = {"time": "2026-01-01T00:00:00Z", "attributes": {}}
    before = await rows(consortium.app)
    problem(await bob.request("POST", path, record), 404, "not-found")
    assert await rows(consortium.app) == before
