"""base64url without padding (RFC 4648 §5, RFC 7515 §2), in its one canonical spelling."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from crypto.errors import KeyFormatError

_BASE64URL: Final = re.compile(r"(?>(?:[\w-]{4})*)(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?", re.ASCII)


def encode_base64url(data: bytes) -> str:
    """Return unpadded base64url (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of canonical unpadded base64url: no padding, no stray bits. Raises KeyFormatError."""
    if _BASE64URL.fullmatch(text) is None:
        raise KeyFormatError("not canonical base64url without padding")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
