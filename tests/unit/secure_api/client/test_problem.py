"""Problem documents: read leniently, said in full sentences."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_api.client import Problem

MEDIA_TYPE = "application/problem+json"
DOCUMENT = {
    "type": "urn:problem-type:secure-api:json-rejected",
    "title": "JSON rejected",
    "status": 400,
    "detail": "A number is not one.",
    "instance": "urn:request-id:7",
    "errors": [
        {"pointer": "/a/0", "line": 2, "column": 5, "detail": "NaN is not JSON."},
        {"parameter": "limit", "detail": "too large"},
        {"pointer": ""},
    ],
}


def test_a_whole_problem() -> None:
    problem = Problem.parse(MEDIA_TYPE + "; charset=utf-8", json.dumps(DOCUMENT).encode())
    assert problem is not None
    assert (problem.type, problem.status, problem.instance) == (DOCUMENT["type"], 400, "urn:request-id:7")
    assert problem.lines() == [
        "JSON rejected: A number is not one.",
        "  /a/0: NaN is not JSON. (line 2, column 5)",
        "  limit: too large",
        "  the document: is not valid",
    ]


def test_nothing_is_said_twice() -> None:
    detail = "NaN is not JSON. (line 2, column 5)"
    errors = [{"pointer": "/a/0", "line": 2, "column": 5, "detail": detail}]
    problem = Problem.parse(MEDIA_TYPE, json.dumps({**DOCUMENT, "detail": detail, "errors": errors}).encode())
    assert problem is not None
    assert problem.lines() == ["JSON rejected", "  /a/0: NaN is not JSON. (line 2, column 5)"]


def test_a_bare_problem() -> None:
    problem = Problem.parse("Application/Problem+JSON", b'{"status": 404}')
    assert problem == Problem(type="about:blank", title="", status=404)


def test_findings_are_capped_and_oddities_dropped() -> None:
    many = {"status": 400, "title": "x", "detail": 7, "errors": [1, None, *({"detail": str(n)} for n in range(99))]}
    problem = Problem.parse(MEDIA_TYPE, json.dumps(many).encode())
    assert problem is not None
    assert problem.detail is None
    assert len(problem.errors) == 20
    assert Problem.parse(MEDIA_TYPE, b'{"status": 400, "errors": {}}') == Problem("about:blank", "", 400)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"status": 400}'),
        ("", b""),
        (MEDIA_TYPE, b""),
        (MEDIA_TYPE, b"<html>"),
        (MEDIA_TYPE, b"[]"),
        (MEDIA_TYPE, b'{"status": "400"}'),
        (MEDIA_TYPE, b"\xff"),
        (MEDIA_TYPE, b"[" * 100_000),
    ],
)
def test_what_is_no_problem(content_type: str, body: bytes) -> None:
    assert Problem.parse(content_type, body) is None


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_any_json_is_survived(value: object) -> None:
    for members in (value, {"status": 400, "title": value, "detail": value, "errors": [value, {"line": value}]}):
        problem = Problem.parse(MEDIA_TYPE, json.dumps(members).encode())
        assert problem is None or all(isinstance(line, str) for line in problem.lines())
