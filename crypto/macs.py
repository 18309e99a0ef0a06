"""HMAC-SHA256 keys, which sign requests within a session (RFC 9421 §3.3.3)."""

from __future__ import annotations

import hmac
from enum import StrEnum
from typing import Final, NoReturn

from crypto.errors import InvalidSignature, KeyFormatError

MAC_KEY_BYTES: Final = 32


class MacAlgorithm(StrEnum):
    """An allowed algorithm; the value is its name in the `alg` parameter of RFC 9421."""

    HMAC_SHA256 = "hmac-sha256"


class MacKey:
    """One direction's key of a session; its keyid is the session's. It is never pickled, its repr hides the key.

    `keyid` and `algorithm` are what the parameters of a signature say. Raises KeyFormatError.
    """

    __slots__ = ("_key", "algorithm", "keyid")

    def __init__(self, keyid: str, key: bytes) -> None:
        if len(key) != MAC_KEY_BYTES:
            raise KeyFormatError(f"a MAC key has {MAC_KEY_BYTES} bytes, not {len(key)}")
        self.algorithm: Final = MacAlgorithm.HMAC_SHA256
        self.keyid = keyid
        self._key = bytes(key)

    def sign(self, message: bytes) -> bytes:
        """Return the 32 bytes of the MAC."""
        return hmac.digest(self._key, message, "sha256")

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the MAC is that of the message, in constant time. Raises InvalidSignature."""
        if not hmac.compare_digest(signature, hmac.digest(self._key, message, "sha256")):
            raise InvalidSignature(detail="not the MAC of this message under this key")

    def __repr__(self) -> str:
        """Name the session, never the key."""
        return f"MacKey({self.keyid})"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the key in clear."""
        raise TypeError("a MacKey is not pickled or copied")
