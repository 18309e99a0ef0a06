"""What every error answer must look like."""

from __future__ import annotations

import re
from typing import Any

import httpx

TYPE = "urn:problem-type:secure-api:"


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Check an error answer against RFC 9457 and our conventions; returns the document."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document: dict[str, Any] = response.json()
    assert document["type"] == TYPE + slug, document
    assert document["status"] == status
    assert document["title"]
    assert document["instance"] == f"urn:request-id:{response.headers['x-request-id']}"
    assert re.fullmatch(r"[0-9a-f-]{32,36}", response.headers["x-request-id"])
    assert set(document) <= {"type", "title", "status", "detail", "instance", "errors"}
    return document


def places(response: httpx.Response) -> list[str]:
    """The pointers of a 422 on a body, in their order."""
    return [finding["pointer"] for finding in problem(response, 422, "validation-failed")["errors"]]
