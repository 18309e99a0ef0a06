"""HKDF of RFC 5869 from `hmac` alone: nothing of the product, nothing of `cryptography`."""

from __future__ import annotations

import hmac


def extract(salt: bytes, material: bytes, digest: str = "sha256") -> bytes:
    """HKDF-Extract, §2.2. HMAC pads its key with zeros, so no salt is the salt of zeros."""
    return hmac.digest(salt, material, digest)


def expand(secret: bytes, info: bytes, length: int, digest: str = "sha256") -> bytes:
    """HKDF-Expand, §2.3."""
    output, block, counter = b"", b"", 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(secret, block + info + bytes([counter]), digest)
        output += block
    return output[:length]
