"""The key that secrets are encrypted under while they lie in a database."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Final, NoReturn

from crypto.errors import KeyFormatError
from crypto.sealing import NONCE_BYTES, open_under, seal_under

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

    def __repr__(self) -> str:
        """Say what it is, never the key."""
        return "StorageKey()"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the key in clear."""
        raise TypeError("a StorageKey is not pickled or copied")
