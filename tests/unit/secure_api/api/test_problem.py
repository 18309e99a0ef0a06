"""Problems as responses, outside any request too."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest
from asgi_correlation_id import correlation_id
from fastapi import Request
from prometheus_client import CollectorRegistry, Counter

from crypto import SignedRequest
from secure_api.api.dependencies import get_authentication, get_caller
from secure_api.api.error_map import problem_of_status
from secure_api.api.problem import respond, respond_to
from secure_api.domain.errors import AuthenticationFailed
from secure_api.services.authentication import Authentication

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_without_a_request_there_is_no_instance() -> None:
    token = correlation_id.set(None)
    response = respond(problem_of_status(404))
    correlation_id.reset(token)
    assert "instance" not in json.loads(bytes(response.body))
    token = correlation_id.set("7f5c")
    response = respond(problem_of_status(404), {"Allow": "GET"})
    correlation_id.reset(token)
    assert json.loads(bytes(response.body))["instance"] == "urn:request-id:7f5c"
    assert response.headers["allow"] == "GET"
    assert response.headers["content-type"] == "application/problem+json"


def test_a_failed_authentication_is_counted_where_somebody_counts() -> None:
    registry = CollectorRegistry()
    refused = Counter("refused", "Refused.", ["reason"], registry=registry)
    for counter in (None, refused):
        response = respond_to(AuthenticationFailed("expired"), counter)
        assert response.status_code == 401
    assert registry.get_sample_value("refused_total", {"reason": "expired"}) == 1


async def test_a_route_that_asks_for_a_caller_is_never_public() -> None:
    """Were it listed as public by mistake, nobody would get in."""
    for state in ({}, {"authentication": "somebody"}):
        request = cast(Request, SimpleNamespace(state=SimpleNamespace(**state)))
        with pytest.raises(AuthenticationFailed) as refused:
            await get_authentication(request)
        assert refused.value.reason == "not-authenticated"
    with pytest.raises(AuthenticationFailed) as refused:
        await get_caller(Authentication(None, (), cast(SignedRequest, None)))
    assert refused.value.reason == "not-enrolled"
