"""Session keys: a signed key exchange, and what both ends derive from it.

The client signs an ephemeral KEM public key, the server signs the ciphertext that answers it: an authenticated key
exchange of signatures and one KEM, as TLS 1.3 has it (RFC 8446 §4.4, with a KEM in the place of Diffie-Hellman).
The secret is HKDF-Extract (RFC 5869) of the KEM's shared secret, salted with a hash of the whole transcript, so both
ends have the same keys only if they saw the same handshake, down to the last byte. One HKDF-Expand a key follows.

A rekey is a second exchange inside a session, under its MAC keys; the old session's `rekey` secret goes into the new
one beside the fresh KEM secret. Nothing here draws random numbers or knows the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from crypto.errors import KeyFormatError
from crypto.macs import MacKey

LABEL: Final = b"secure-api session v1"
SECRET_BYTES: Final = 32
_KEY_BYTES: Final = 32


def session_transcript(
    *, server_keyid: str, request_body: bytes, response_body: bytes, request_bases: Sequence[bytes]
) -> bytes:
    """Return the 32 bytes that stand for a whole handshake.

    SHA-256 of the label `secure-api session v1`, U+000A, and every part behind its length (4 bytes, big-endian), in
    this order: the keyid that signs the response, the request's body, the response's body, and the signature base
    (RFC 9421 §2.5) of every signature of the request in the order of its Signature-Input. Raises KeyFormatError.
    """
    if not server_keyid.isascii():
        raise KeyFormatError("the keyid of a handshake's answer is not ASCII")
    digest = hashlib.sha256(LABEL + b"\n")
    for part in (server_keyid.encode("ascii"), request_body, response_body, *request_bases):
        digest.update(len(part).to_bytes(4))
        digest.update(part)
    return digest.digest()


def session_secret(shared_secret: bytes, transcript: bytes, previous: bytes = b"") -> bytes:
    """Return the secret of a session (32 bytes): HKDF-Extract, SHA-256, salt `transcript`.

    The keying material is the KEM's `shared_secret`, and behind it, in a rekey, the old session's `rekey` secret: 32
    bytes each, so it is plain where one ends. Raises KeyFormatError.
    """
    if len(shared_secret) != SECRET_BYTES or len(transcript) != SECRET_BYTES or len(previous) not in (0, SECRET_BYTES):
        lengths = f"{len(shared_secret)}, {len(transcript)} and {len(previous)}"
        raise KeyFormatError(f"shared secret, transcript, rekey secret: {SECRET_BYTES} bytes each, not {lengths}")
    return HKDF.extract(SHA256(), transcript, shared_secret + previous)


@dataclass(frozen=True, slots=True, eq=False)
class SessionKeys:
    """The keys of a session: one MAC key and one AES-256-GCM key (32 bytes) a direction, and the secret for a rekey.

    It is never pickled, and its repr names the session alone.
    """

    session: str
    client_mac: MacKey = field(repr=False)
    server_mac: MacKey = field(repr=False)
    client_aead: bytes = field(repr=False)
    server_aead: bytes = field(repr=False)
    rekey: bytes = field(repr=False)

    @classmethod
    def derive(cls, session: str, secret: bytes) -> SessionKeys:
        """Return the keys of a session's secret. Raises KeyFormatError."""
        if len(secret) != SECRET_BYTES:
            raise KeyFormatError(f"the secret of a session has {SECRET_BYTES} bytes, not {len(secret)}")
        return cls(
            session,
            client_mac=MacKey(session, _expand(secret, b"client mac")),
            server_mac=MacKey(session, _expand(secret, b"server mac")),
            client_aead=_expand(secret, b"client aead"),
            server_aead=_expand(secret, b"server aead"),
            rekey=_expand(secret, b"rekey"),
        )

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the keys in clear."""
        raise TypeError("SessionKeys are not pickled or copied")


def _expand(secret: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(SHA256(), _KEY_BYTES, LABEL + b" " + purpose).derive(secret)
