"""Problem documents: whatever goes wrong, one shape, and nothing of the inside."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from secure_api import logs
from secure_api.domain.errors import ConfigurationError, LedgerTampered
from secure_api.settings import Settings
from tests.api.asgi import drive, http_scope
from tests.api.problem import problem
from tests.api.running import started
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio


@pytest.fixture
async def running(embedded: Settings) -> AsyncIterator[Consortium]:
    """One server on SQLite, without a test's own settings."""
    async with started(embedded) as consortium:
        yield consortium


async def test_a_stranger_learns_nothing_about_the_routes(running: Consortium) -> None:
    answers = [
        await running.http.request(method, path)
        for method, path in (
            ("GET", "/v1/datasets"),
            ("GET", "/v1/nothing"),
            ("PATCH", "/v1/datasets"),
            ("GET", "/"),
            ("GET", "/v1/datasets/"),
            ("DELETE", "/healthz/"),
            ("GET", "/docs/oauth2-redirect"),
            ("GET", "/redoc"),
        )
    ]
    documents = [problem(answer, 401, "authentication-failed") for answer in answers]
    assert len({document.pop("instance") for document in documents}) == len(documents)
    assert all(document == documents[0] for document in documents)
    for answer in answers:
        assert answer.headers["www-authenticate"] == "Signature"
        assert answer.headers["accept-signature"].startswith('sig1=("@method" "@authority" "@path" "@query"')
        assert set(answer.headers) == set(answers[0].headers)


async def test_a_client_is_told_that_there_is_no_such_path(running: Consortium) -> None:
    for path in ("/v1/nothing", "/", "/v1/datasets/", "/v1//datasets", "/V1/datasets", "/v1/datasets/vitals"):
        problem(await running.admin.request("GET", path), 404, "not-found")


async def test_a_client_is_told_which_methods_there_are(running: Consortium) -> None:
    for path, allowed in (
        ("/v1/datasets", {"GET", "POST"}),
        ("/v1/clients", {"GET", "POST"}),
        ("/v1/datasets/vitals/records", {"GET", "POST"}),
        ("/v1/ledger", {"GET"}),
        ("/v1/tokens", {"POST"}),
        (f"/v1/keys/{'A' * 43}", {"DELETE"}),
    ):
        response = await running.admin.request("PATCH", path)
        problem(response, 405, "method-not-allowed")
        assert set(response.headers["allow"].split(", ")) == allowed, path
    response = await running.http.post("/healthz")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"


async def test_every_answer_carries_the_request_id(running: Consortium) -> None:
    ids = set()
    for _ in range(3):
        ok = await running.http.get("/healthz")
        refused = await running.http.get("/v1/datasets")
        ids |= {ok.headers["x-request-id"], refused.headers["x-request-id"]}
        problem(refused, 401, "authentication-failed")
    assert len(ids) == 6
    mine = str(uuid4())
    message = running.admin.sign("GET", "/v1/nothing").with_header("X-Request-ID", mine)
    response = await running.admin.send(message)
    assert response.headers["x-request-id"] == mine
    assert problem(response, 404, "not-found")["instance"] == f"urn:request-id:{mine}"


async def test_no_cache_keeps_an_answer_to_a_signed_request(running: Consortium) -> None:
    """It does not know that Signature tells clients apart, as it knows of Authorization."""
    for method, target, body in (
        ("GET", "/v1/clients/me", None),
        ("POST", "/v1/datasets", {"name": "vitals"}),
        ("GET", "/v1/datasets/vitals/records", None),
        ("GET", "/v1/nothing", None),
    ):
        response = await running.admin.request(method, target, body)
        assert response.headers.get_list("cache-control") == ["no-store"], target
    assert "cache-control" not in (await running.http.get("/.well-known/secure-api")).headers


@pytest.mark.parametrize("sent", ["", "not an id", "7\nSet-Cookie: a=b", "x" * 5_000, "../../etc/passwd"])
async def test_a_request_id_of_another_form_is_replaced(running: Consortium, sent: str) -> None:
    answer = await drive(running.app, http_scope("GET", "/healthz", [(b"x-request-id", sent.encode())]))
    assert answer.status == 200
    assert len(answer.headers[b"x-request-id"]) == 32
    assert answer.headers[b"x-request-id"] != sent.encode()


class TestUnexpected:
    """An error that nobody thought of: opaque to the peer, complete in the log."""

    @pytest.fixture
    async def log(self, running: Consortium) -> AsyncIterator[io.StringIO]:
        """A server with broken routes, and what it logs."""

        async def broken() -> None:
            raise ZeroDivisionError("s3cr3t detail")

        async def tampered() -> None:
            raise LedgerTampered(3, "changed", "s3cr3t detail")

        async def misconfigured() -> None:
            raise ConfigurationError("s3cr3t detail")

        for route in (broken, tampered, misconfigured):
            running.app.add_api_route(f"/v1/{route.__name__}", route)
        stderr = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", stderr)
            logs.configure("info", "json")
        yield stderr
        logs.configure("info", "json")

    @pytest.mark.parametrize("route", ["broken", "tampered", "misconfigured"])
    async def test_it_is_opaque_to_the_peer_and_whole_in_the_log(
        self, running: Consortium, log: io.StringIO, route: str
    ) -> None:
        response = await running.admin.request("GET", f"/v1/{route}")
        document = problem(response, 500, "internal")
        assert set(document) == {"type", "title", "status", "detail", "instance"}
        assert document["detail"] == "Something went wrong here; the log has the request's id."
        for inside in ("s3cr3t", "Traceback", "ZeroDivisionError", "LedgerTampered", ".py"):
            assert inside not in response.text
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        told = [line for line in lines if "s3cr3t detail" in line.get("exception", "")]
        assert [line["level"] for line in told] == ["error"]
        assert told[0]["request_id"] == response.headers["x-request-id"]

    async def test_the_server_goes_on(self, running: Consortium, log: io.StringIO) -> None:
        problem(await running.admin.request("GET", "/v1/broken"), 500, "internal")
        await running.admin.ok("GET", "/v1/clients/me")
        assert log.getvalue()
