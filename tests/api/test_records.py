"""Records, from the request to the database and back."""

from __future__ import annotations

import pytest

from tests.consortium import Consortium

pytestmark = pytest.mark.anyio


async def test_what_is_accepted_comes_back(consortium: Consortium) -> None:
    alice = await consortium.member("alpha")
    await alice.ok("POST", "/v1/datasets", {"name": "vitals"})
    record = {"time": "2026-01-02T03:04:05.25Z", "attributes": {"pulse": 61, "x": 1e22, "z": -0.0, "s": "ä\U0001f600"}}
    assert await alice.ok("POST", "/v1/datasets/vitals/records", record) == {"accepted": 1}
    page = await alice.ok("GET", "/v1/datasets/vitals/records")
    assert page == {"records": [record], "next": None}
