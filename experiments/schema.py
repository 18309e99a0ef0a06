"""The published JSON Schema of `result.json`."""

import json
from typing import Any, Final

from experiments.result import SCHEMA_VERSION, Result

TITLE: Final = "A result of secure-api experiments"


def schema() -> dict[str, Any]:
    """Give the schema of a result file: the model's, and the digest that stands beside it in the file."""
    found = Result.model_json_schema(by_alias=True, mode="serialization")
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["title"] = f"{TITLE}, version {SCHEMA_VERSION}"
    found["properties"]["digest"] = {
        "type": "string",
        "pattern": "^sha-256:[0-9a-f]{64}$",
        "description": "SHA-256 of the document without this member, in canonical form (RFC 8785).",
    }
    found["required"] = sorted({*found.get("required", ()), "digest"})
    return found


def text() -> str:
    """Write the schema as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
