"""The middleware's smaller parts: a body from memory, a body from the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from secure_api.api.middleware.signatures import Disconnected, Replay, read_body
from secure_api.domain.errors import PayloadTooLarge, RequestTimeout
from secure_api.domain.limits import Limits
from tests.api.asgi import DISCONNECT, body

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Connection:
    """An ASGI `receive`: some messages, then silence."""

    def __init__(self, messages: Sequence[dict[str, Any]]) -> None:
        self.messages = list(messages)

    async def __call__(self) -> dict[str, Any]:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)


async def test_a_body_is_given_from_memory_once_and_then_the_connection_speaks() -> None:
    replay = Replay(b"body", Connection([DISCONNECT]))
    assert await replay() == {"type": "http.request", "body": b"body", "more_body": False}
    assert await replay() == DISCONNECT


async def test_a_body_is_read_whole() -> None:
    assert await read_body(Connection(body(b"a", b"", b"bc")), Limits()) == b"abc"
    assert await read_body(Connection([{"type": "http.request"}]), Limits()) == b""
    assert await read_body(Connection(body(b"abc")), Limits(max_body_bytes=3)) == b"abc"


async def test_what_is_no_whole_body_is_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="3 bytes at most"):
        await read_body(Connection(body(b"ab", b"cd")), Limits(max_body_bytes=3))
    with pytest.raises(RequestTimeout, match=r"within 0\.01 seconds"):
        await read_body(Connection(body(b"ab", b"cd")[:1]), Limits(body_timeout=0.01))
    with pytest.raises(Disconnected):
        await read_body(Connection([*body(b"ab", b"cd")[:1], DISCONNECT]), Limits())
