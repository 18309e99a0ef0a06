"""The access log: one line a request, with its caller and its end."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from secure_api.settings import Settings
from tests.api.asgi import drive, http_scope
from tests.api.running import altered, started
from tests.consortium import OPERATOR

pytestmark = pytest.mark.anyio

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged, as events."""
    with structlog.testing.capture_logs() as captured:
        yield captured


def requests(lines: Lines) -> Lines:
    """The events of the access log."""
    return [line for line in lines if line["event"] == "request"]


async def test_a_line_tells_who_did_what_and_how_it_ended(embedded: Settings, lines: Lines) -> None:
    async with started(embedded) as consortium:
        me = await consortium.admin.ok("GET", "/v1/clients/me?verbose=1")
        await consortium.http.get("/v1/clients/me")
        await consortium.http.get("/healthz")
    signed, refused, public = requests(lines)
    assert signed["milliseconds"] > 0
    assert {name: signed[name] for name in ("method", "path", "status", "client", "organization")} == {
        "method": "GET",
        "path": "/v1/clients/me",
        "status": 200,
        "client": me["id"],
        "organization": OPERATOR,
    }
    assert (refused["status"], refused["client"], refused["organization"]) == (401, None, None)
    assert (public["status"], public["client"]) == (200, None)


async def test_a_path_cannot_forge_a_line(embedded: Settings, lines: Lines) -> None:
    async with started(embedded) as consortium:
        await consortium.admin.request("GET", "/x%0A%1B[2Jforged")
        scope = http_scope("GET", "/x", []) | {"raw_path": b"/\xff\n"}
        await drive(consortium.app, scope)
    first, second = requests(lines)
    assert first["path"] == "/x%0A%1B[2Jforged"
    assert second["path"] == "/\\xff\n"


async def test_an_unexpected_error_has_its_line(embedded: Settings, lines: Lines) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async with started(embedded) as consortium:
        consortium.app.add_api_route("/v1/broken", broken)
        await consortium.admin.request("GET", "/v1/broken")
    assert [line["status"] for line in requests(lines)] == [500]


async def test_it_can_be_turned_off(embedded: Settings, lines: Lines) -> None:
    async with started(altered(embedded, access_log=False)) as consortium:
        await consortium.admin.ok("GET", "/v1/clients/me")
    assert requests(lines) == []
