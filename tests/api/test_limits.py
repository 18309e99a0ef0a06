"""Limits on what a peer sends, before it is decoded: heads, bodies, time; and connections that go wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from secure_api.settings import Settings
from tests.api.asgi import DISCONNECT, body, drive, http_scope, scope_of
from tests.api.problem import problem
from tests.api.running import altered, started
from tests.api.state import rows
from tests.consortium import Consortium

pytestmark = pytest.mark.anyio

MAX_BODY, MAX_HEADERS, MAX_FIELD = 2_048, 16_384, 8_192


@pytest.fixture
async def small(embedded: Settings) -> AsyncIterator[Consortium]:
    """A server with small limits."""
    settings = altered(
        embedded, max_body_bytes=MAX_BODY, max_header_bytes=MAX_HEADERS, max_field_bytes=MAX_FIELD, body_timeout=1.0
    )
    async with started(settings) as consortium:
        yield consortium


async def test_a_body_of_the_greatest_size_passes_and_one_byte_more_does_not(small: Consortium) -> None:
    content = b'{"name":"a"}'.ljust(MAX_BODY)
    await small.admin.ok("POST", "/v1/datasets", content)
    response = await small.admin.request("POST", "/v1/datasets", content + b" ")
    document = problem(response, 413, "payload-too-large")
    assert document["detail"] == f"A body may have {MAX_BODY} bytes at most."


async def test_a_body_that_declares_too_much_is_refused_unread(small: Consortium) -> None:
    for declared in (b"2049", b"999999999999", b"1" + b"0" * 30, b"0" * 13):
        scope = http_scope("POST", "/v1/datasets", [(b"content-length", declared)])
        answer = await drive(small.app, scope)
        assert (answer.status, answer.problem, answer.received) == (413, "payload-too-large", 0), declared


async def test_a_length_that_is_no_number_is_refused(small: Consortium) -> None:
    for declared in (b"", b"-1", b"1_0", b" 1", b"0x10", b"\xb2"):
        scope = http_scope("POST", "/v1/datasets", [(b"content-length", declared)])
        answer = await drive(small.app, scope)
        assert (answer.status, answer.problem, answer.received) == (422, "validation-failed", 0), declared


async def test_a_chunked_body_is_cut_off_at_the_limit(small: Consortium) -> None:
    """No length was declared, so the count decides; what would come after it is not read."""
    message = small.admin.sign("POST", "/v1/datasets", b"x" * 5_000)
    before = await rows(small.app)
    answer = await drive(small.app, scope_of(message), body(*[b"x" * 1_000] * 5))
    assert (answer.status, answer.problem) == (413, "payload-too-large")
    assert answer.received == 3
    assert await rows(small.app) == before


async def test_a_body_in_many_chunks_is_one_body(small: Consortium) -> None:
    content = b'{"name": "vitals"}'
    message = small.admin.sign("POST", "/v1/datasets", content)
    answer = await drive(small.app, scope_of(message), body(*(bytes([byte]) for byte in content), b""))
    assert answer.status == 201


async def test_a_body_that_comes_too_slowly_is_refused(small: Consortium) -> None:
    message = small.admin.sign("POST", "/v1/datasets", {"name": "vitals"})
    before = await rows(small.app)
    began = time.monotonic()
    answer = await drive(small.app, scope_of(message), body(message.body[:5], b"")[:1])
    assert (answer.status, answer.problem) == (408, "request-timeout")
    assert time.monotonic() - began >= 0.2
    assert await rows(small.app) == before


async def test_a_stranger_cannot_hold_a_connection_with_his_body(small: Consortium) -> None:
    """What the head alone shows to be wrong is refused before the first byte of the body is waited for."""
    message = small.admin.sign("POST", "/v1/datasets", {"name": "vitals"})
    for spoilt in (
        message.with_header("signature", None),
        message.edited("signature-input", "created=1", "created=2"),
        message.edited("signature-input", '"@query" ', ""),
    ):
        answer = await drive(small.app, scope_of(spoilt))
        assert (answer.status, answer.problem, answer.received) == (401, "authentication-failed", 0)


async def test_a_peer_that_goes_away_changes_nothing_and_is_no_error_of_ours(small: Consortium) -> None:
    message = small.admin.sign("POST", "/v1/datasets", {"name": "vitals"})
    before = await rows(small.app)
    for incoming in ([DISCONNECT], [*body(message.body[:5], b"")[:1], DISCONNECT]):
        answer = await drive(small.app, scope_of(message), incoming)
        assert [answer.status, *answer.messages[1:]] == [499, {"type": "http.response.body"}], (
            "told to the log and the metrics: nobody is there to read it"
        )
    assert await rows(small.app) == before
    answer = await drive(small.app, scope_of(message), [*body(message.body), DISCONNECT])
    assert answer.status == 201, "its nonce was not spent"


async def test_heads_have_limits(small: Consortium) -> None:
    message = small.admin.sign("GET", "/v1/datasets")
    refused = {
        "all fields": message.with_header("x-padding", "x" * MAX_HEADERS),
        "many fields": message,
        "signature": message.with_header("signature", "x" * (MAX_FIELD + 1)),
        "signature-input": message.with_header("signature-input", "x" * (MAX_FIELD + 1)),
        "content-digest": message.with_header("content-digest", "x" * (MAX_FIELD + 1)),
    }
    for what, spoilt in refused.items():
        scope = scope_of(spoilt)
        if what == "many fields":
            scope["headers"] += [(b"x", b"1234567")] * (MAX_HEADERS // 8)
        answer = await drive(small.app, scope, body(b""))
        assert (answer.status, answer.problem, answer.received) == (431, "header-fields-too-large", 0), what
    pieces = scope_of(message.with_header("signature", None))
    pieces["headers"] += [(b"signature", b"x" * (MAX_FIELD // 2 + 1))] * 2
    assert (await drive(small.app, pieces, body(b""))).problem == "header-fields-too-large", "one field in two lines"
    answer = await drive(small.app, scope_of(message.with_header("x-padding", "x" * 4_000)), body(b""))
    assert answer.status == 200


async def test_a_path_has_a_limit(small: Consortium) -> None:
    for path, query, status in (
        ("/" + "x" * 2_047, "", 404),
        ("/" + "x" * 2_048, "", 431),
        ("/v1/datasets", "x" * 2_036, 200),
        ("/v1/datasets", "x" * 2_037, 431),
    ):
        message = small.admin.sign("GET", f"{path}?{query}" if query else path)
        assert (await drive(small.app, scope_of(message), body(b""))).status == status


async def test_public_paths_are_under_the_same_limits(small: Consortium) -> None:
    scope = http_scope("GET", "/healthz", [(b"x-padding", b"x" * MAX_HEADERS)])
    assert (await drive(small.app, scope)).problem == "header-fields-too-large"


async def test_a_target_or_host_that_is_not_ascii_is_not_believed(small: Consortium) -> None:
    message = small.admin.sign("GET", "/v1/datasets")
    scope = scope_of(message)
    for changes in (
        {"raw_path": "/v1/datäsets".encode()},
        {"query_string": "ä".encode()},
        {"headers": [(b"host", "tästserver".encode()), *scope["headers"][1:]]},
    ):
        answer = await drive(small.app, scope | changes, body(b""))
        assert (answer.status, answer.problem) == (401, "authentication-failed")


async def test_a_websocket_is_refused(small: Consortium) -> None:
    for path in ("/v1/datasets", "/healthz", "/nothing"):
        scope = http_scope("GET", path, []) | {"type": "websocket", "subprotocols": []}
        answer = await drive(small.app, scope, [{"type": "websocket.connect"}])
        assert answer.messages == [{"type": "websocket.close", "code": 1008}]


async def test_slow_bodies_do_not_hold_up_others(small: Consortium) -> None:
    message = small.admin.sign("POST", "/v1/datasets", {"name": "vitals"})
    slow = [asyncio.create_task(drive(small.app, scope_of(message))) for _ in range(20)]
    await asyncio.sleep(0)
    assert (await small.admin.request("GET", "/v1/datasets")).status_code == 200
    assert not any(task.done() for task in slow)
    assert {answer.status for answer in await asyncio.gather(*slow)} == {408}
