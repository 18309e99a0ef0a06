"""Content-Digest (RFC 9530): the digest of the body as a header field that a signature can cover."""

import hashlib
from base64 import b64encode
from hmac import compare_digest
from typing import Final

from crypto.errors import DigestError, FieldSyntaxError, UnsupportedAlgorithm
from crypto.structured_fields import parse_byte_sequences

# The active algorithms of RFC 9530 §5; the deprecated ones are never believed.
_HASHES: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def content_digest(body: bytes, algorithm: str = "sha-256") -> str:
    """Return the field value for a body, such as `sha-256=:...:`. Raises UnsupportedAlgorithm."""
    return f"{algorithm}=:{b64encode(_digest(algorithm, body)).decode('ascii')}:"


def verify_content_digest(field: bytes, body: bytes) -> None:
    """Return if the field holds at least one sha-256 or sha-512 digest and every one of them is the body's.

    Digests of other algorithms are ignored (RFC 9530 §2). Raises DigestError.
    """
    if compare_digest(field, b"sha-256=:%b:" % b64encode(hashlib.sha256(body).digest())):
        return  # one digest, as nearly everybody sends it
    try:
        members = parse_byte_sequences(field)
    except FieldSyntaxError as error:
        raise DigestError(error.reason, f"content-digest: {error.detail}") from None
    known = [name for name in members if name in _HASHES]
    if not known:
        raise DigestError("digest-missing", "content-digest holds neither sha-256 nor sha-512")
    for name in known:
        if not compare_digest(members[name], _digest(name, body)):
            raise DigestError("digest-mismatch", f"the {name} digest is of another body")


def _digest(algorithm: str, body: bytes) -> bytes:
    new = _HASHES.get(algorithm)
    if new is None:
        raise UnsupportedAlgorithm(f"no such digest algorithm: {algorithm!r} (one of {', '.join(_HASHES)})")
    return new(body).digest()
