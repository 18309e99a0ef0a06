"""What a server says of itself, and what it is not."""

from __future__ import annotations

import httpx
import pytest

from secure_api import app
from secure_api.client import ServerUnusable, read_discovery
from secure_api.client.discovery import MAX_BYTES
from secure_api.client.exchange import is_public


def test_a_document_is_read() -> None:
    assert read_discovery(httpx.Response(200, content=b'{"keys": []}')) == {"keys": []}


@pytest.mark.parametrize("status", [204, 301, 401, 404, 500])
def test_another_status_is_named(status: int) -> None:
    with pytest.raises(ServerUnusable, match=f"HTTP {status}|no JSON object") as refused:
        read_discovery(httpx.Response(status, content=b""))
    assert refused.value.status == (None if status == 204 else status)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"{}"', b"{", b"\xff", b"[" * 100_000, b"9" * 10_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ServerUnusable, match="no JSON object"):
        read_discovery(httpx.Response(200, content=body))


def test_client_and_server_agree_on_what_is_public() -> None:
    assert [path for path in app.PUBLIC_PATHS if not is_public(path)] == []
    assert [path for path in ("/", "/v1/sessions", "/healthz/", "/docsx", "/v1/docs/x") if is_public(path)] == []


def test_it_has_an_end() -> None:
    with pytest.raises(ServerUnusable, match="too large"):
        read_discovery(httpx.Response(200, content=b" " * (MAX_BYTES + 1)))
