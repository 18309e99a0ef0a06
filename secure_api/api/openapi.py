"""What FastAPI's OpenAPI document lacks: the signature scheme, and that every error is a problem document."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from rfc9457.openapi import problem_component, problem_response

from secure_api.api.error_map import TYPE_PREFIX

SCHEME = "HttpMessageSignature"

DESCRIPTION = """
Every request but those under *status* is signed: HTTP Message Signatures (RFC 9421) with `ml-dsa-44`, `ml-dsa-65`,
`ml-dsa-87` (C2SP httpsig-pq v1.0.0) or `ed25519`.

* Covered components, all six on every request: `@method` `@authority` `@path` `@query` `content-type`
  `content-digest`. A request without a body carries the digest of the empty body.
* Parameters, all required: `created`, `expires` (at most 300 s later), `nonce`, `keyid` (RFC 7638 thumbprint),
  `alg`, `tag="secure-api"`.
* `Content-Digest` (RFC 9530) is `sha-256` or `sha-512`.
* A nonce is good for one request. A hybrid client signs with two labels, both required.
"""

#: What our problems carry beside type, title and status.
PROBLEM_MEMBERS: dict[str, Any] = {
    "detail": {"type": "string", "description": "What went wrong, for people."},
    "instance": {"type": "string", "description": "urn:request-id: and the id under which the log knows the request."},
    "errors": {
        "type": "array",
        "description": "Each broken rule, with its place: a member of the body, or a parameter.",
        "items": {
            "type": "object",
            "required": ["detail"],
            "properties": {
                "detail": {"type": "string"},
                "pointer": {"type": "string", "description": "RFC 6901 pointer into the body."},
                "reason": {"type": "string", "description": "Why the body is no I-JSON."},
                "line": {"type": "integer", "minimum": 1},
                "column": {"type": "integer", "minimum": 1},
                "in": {"type": "string", "enum": ["path", "query", "header"]},
                "parameter": {"type": "string"},
            },
        },
    },
}


def document(app: FastAPI, public: frozenset[str]) -> Callable[[], dict[str, Any]]:
    """Wrap the application's own OpenAPI generator."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            _describe(schema, public)
            app.openapi_schema = schema
        return app.openapi_schema

    return openapi


def _describe(schema: dict[str, Any], public: frozenset[str]) -> None:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = problem_component("Problem", **PROBLEM_MEMBERS)
    components["securitySchemes"] = {
        SCHEME: {"type": "apiKey", "in": "header", "name": "Signature", "description": DESCRIPTION}
    }
    components["parameters"] = {
        "SignatureInput": _header("Signature-Input", "Covered components and parameters, RFC 9421 §4.1."),
        "ContentDigest": _header("Content-Digest", "Digest of the body, RFC 9530."),
    }
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            responses.pop("422", None)
            responses["4XX"] = _problem("The request is refused.", 400, "Validation failed", "validation-failed")
            responses["5XX"] = _problem("The server failed.", 500, "Internal error", "internal")
            if path in public:
                continue
            operation["security"] = [{SCHEME: []}]
            operation.setdefault("parameters", []).extend(
                {"$ref": f"#/components/parameters/{name}"} for name in components["parameters"]
            )
            responses["401"] = _problem(
                "The request is not believed.", 401, "Authentication failed", "authentication-failed"
            )


def _header(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def _problem(description: str, status: int, title: str, slug: str) -> dict[str, Any]:
    example = {"type": TYPE_PREFIX + slug, "title": title, "status": status}
    response: dict[str, Any] = problem_response(description, [example])
    return response
