"""Bytes in JSON: base64url without padding (RFC 4648 §5), in its one canonical spelling."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

MAX_CHARACTERS = 1 << 16


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise ValueError("must be a string of base64url")
    try:
        data = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (Base64Error, ValueError) as error:
        raise ValueError("must be base64url without padding") from error
    if urlsafe_b64encode(data).rstrip(b"=").decode("ascii") != value:
        raise ValueError("must be base64url without padding, in its canonical form")
    return data


Base64Url = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": MAX_CHARACTERS}),
]
"""Bytes, as base64url in JSON."""
