"""The key that secrets are encrypted under while they lie in a database, or in a file."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Final, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from crypto.errors import KeyFormatError
from crypto.sealing import NONCE_BYTES, open_under, seal_under

if TYPE_CHECKING:
    from crypto.keys import PrivateKey

STORAGE_KEY_BYTES: Final = 32


class StorageKey:
    """AES-256-GCM under a random nonce, for secrets of a few bytes; `purpose` names whose secret it is, and is bound.

    It is never pickled, and its repr hides it. Raises KeyFormatError.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != STORAGE_KEY_BYTES:
            raise KeyFormatError(f"a storage key has {STORAGE_KEY_BYTES} bytes, not {len(key)}")
        self._key = bytes(key)

    @classmethod
    def generate(cls) -> StorageKey:
        """Return a fresh key from the operating system's random numbers."""
        return cls(secrets.token_bytes(STORAGE_KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> StorageKey:
        """Return the key that `text` (base64, 44 characters) spells. Raises KeyFormatError."""
        try:
            return cls(b64decode(text.strip(), validate=True))
        except (Base64Error, ValueError):
            raise KeyFormatError("a storage key is 44 characters of base64") from None

    @classmethod
    def under(cls, key: PrivateKey, label: str) -> StorageKey:
        """Return the key for what a private key's holder keeps: HKDF-SHA256 (RFC 5869) of its seed, `label` as info.

        So what is kept is as safe as the private key itself: under its passphrase, if it has one.
        """
        return cls(HKDF(SHA256(), STORAGE_KEY_BYTES, None, label.encode()).derive(key.seed))

    @property
    def text(self) -> str:
        """The key as base64, for its file."""
        return b64encode(self._key).decode("ascii")

    def encrypt(self, secret: bytes, purpose: str) -> bytes:
        """Return nonce, ciphertext and tag: 28 bytes more than the secret."""
        return seal_under(self._key, secret, purpose.encode(), secrets.token_bytes(NONCE_BYTES))

    def decrypt(self, encrypted: bytes, purpose: str) -> bytes:
        """Return the secret. Raises UnsealingError: another key, another purpose, or changed bytes."""
        return open_under(self._key, encrypted, purpose.encode())

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes of a key of its own for `purpose`: HKDF-Expand (RFC 5869), SHA-256, this key as the PRK."""
        return HKDFExpand(SHA256(), STORAGE_KEY_BYTES, b"secure-api derived key v1 " + purpose.encode()).derive(
            self._key
        )

    def __repr__(self) -> str:
        """Say what it is, never the key."""
        return "StorageKey()"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the key in clear."""
        raise TypeError("a StorageKey is not pickled or copied")
