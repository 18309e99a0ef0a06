"""The OpenAPI document: valid, complete, and true to what the server does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from secure_api.api.error_map import TYPE_PREFIX
from secure_api.app import PUBLIC_PATHS, create_app
from secure_api.settings import Settings
from tests.api.running import started

pytestmark = pytest.mark.anyio


@pytest.fixture
def document(embedded: Settings) -> dict[str, Any]:
    return create_app(embedded).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def referred(node: object) -> Iterator[str]:
    """Every reference below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for member in node.values():
            yield from referred(member)
    elif isinstance(node, list):
        for element in node:
            yield from referred(element)


async def test_it_is_served_to_everybody_and_stays_the_same(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        first = (await consortium.http.get("/openapi.json")).json()
        assert (await consortium.http.get("/openapi.json")).json() == first == consortium.app.openapi()
        assert "text/html" in (await consortium.http.get("/docs")).headers["content-type"]


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()
    for reference in referred(document):
        node: Any = document
        assert reference.startswith("#/")
        for part in reference[2:].split("/"):
            node = node[part]


def test_the_signature_is_asked_for_wherever_it_is_needed(document: dict[str, Any]) -> None:
    (scheme,) = document["components"]["securitySchemes"]
    assert "RFC 9421" in document["components"]["securitySchemes"][scheme]["description"]
    parameters = {name: f"#/components/parameters/{name}" for name in ("SignatureInput", "ContentDigest")}
    for path, method, operation in operations(document):
        references = {parameter.get("$ref") for parameter in operation.get("parameters", [])}
        if path in PUBLIC_PATHS:
            assert "security" not in operation, path
            assert not references & set(parameters.values())
        else:
            assert operation["security"] == [{scheme: []}], (path, method)
            assert set(parameters.values()) <= references
            assert "401" in operation["responses"]
    headers = {name: document["components"]["parameters"][name] for name in parameters}
    assert {header["name"] for header in headers.values()} == {"Signature-Input", "Content-Digest"}
    assert all(header["in"] == "header" and header["required"] for header in headers.values())


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
        assert {"4XX", "5XX"} <= set(errors), (path, method)
        assert "422" not in errors
        for answer in errors.values():
            assert set(answer["content"]) == {"application/problem+json"}
            assert TYPE_PREFIX in repr(answer)
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["properties"]) == {"type", "title", "status", "detail", "instance", "errors"}
    assert set(problem["required"]) == {"type", "title", "status"}
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    identifiers = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(identifiers)) == len(identifiers)
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        assert operation["tags"], (path, method)


async def test_answers_are_what_it_says(embedded: Settings) -> None:
    """Problems of every form, against the document's own schema."""
    async with started(embedded) as consortium:
        admin = consortium.admin
        schema = consortium.app.openapi()["components"]["schemas"]["Problem"]
        validator = jsonschema_rs.validator_for(schema | {"additionalProperties": False})
        for response in (
            await consortium.http.get("/v1/datasets"),
            await consortium.http.put("/healthz"),
            await admin.request("GET", "/v1/nothing"),
            await admin.request("POST", "/v1/datasets", b"{"),
            await admin.request("POST", "/v1/datasets", {"name": "A", "b": 1}),
            await admin.request("GET", "/v1/ledger?limit=0"),
            await admin.request("GET", "/v1/ledger", {"a": 1}),
            await admin.request("POST", "/v1/clients", {"keys": 1}),
            await admin.request("POST", "/v1/datasets", b"a", content_type="text/plain"),
        ):
            assert response.is_error
            assert [error.message for error in validator.iter_errors(response.json())] == []


def test_an_instant_is_a_date_time(document: dict[str, Any]) -> None:
    time = document["components"]["schemas"]["RecordIn"]["properties"]["time"]
    assert time["type"] == "string"
    assert time["format"] == "date-time"
