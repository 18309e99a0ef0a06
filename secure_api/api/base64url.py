"""Bytes in JSON: base64url without padding, in its one canonical spelling."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from crypto import KeyFormatError, decode_base64url

MAX_CHARACTERS = 1 << 16


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise ValueError("must be a string of base64url")
    try:
        return decode_base64url(value)
    except KeyFormatError as error:
        raise ValueError("must be base64url without padding, in its canonical form") from error


Base64Url = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": MAX_CHARACTERS}),
]
"""Bytes, as base64url in JSON."""
