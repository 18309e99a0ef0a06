"""One key encapsulation mechanism of liboqs, by its own name, with every length checked.

liboqs takes pointers and believes that the bytes behind them are long enough; liboqs-python pads what is too short.
Here both are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_char_p, c_int, c_void_p, cast, create_string_buffer
from typing import Any, Final, NamedTuple

from crypto.errors import CiphertextError, KeyFormatError, ProviderUnavailable
from crypto.kem import Encapsulation
from crypto.providers import oqs_library

_SUCCESS: Final = 0


class KeyPair(NamedTuple):
    """A public key and the secret key that belongs to it, in the library's own form."""

    public_key: bytes
    secret_key: bytes

    def __repr__(self) -> str:
        """Say how long the keys are, never what they are."""
        return f"KeyPair({len(self.public_key)}, {len(self.secret_key)} bytes)"


class NativeKem:
    """The mechanism that liboqs calls `name`; sizes in bytes. Raises ProviderUnavailable."""

    def __init__(self, name: str) -> None:
        oqs = oqs_library.load()
        if not oqs.is_kem_enabled(name):
            raise ProviderUnavailable(f"this build of liboqs has no {name}")
        self.name = name
        self._handle = oqs.KeyEncapsulation(name)
        self._mechanism = cast(self._handle._kem, c_void_p)
        details: Mapping[str, Any] = self._handle.details
        self.public_key_bytes: int = details["length_public_key"]
        self.secret_key_bytes: int = details["length_secret_key"]
        self.ciphertext_bytes: int = details["length_ciphertext"]
        self.shared_secret_bytes: int = details["length_shared_secret"]
        self.seed_bytes: int = details["length_keypair_seed"]
        self.security_level: int = details["claimed_nist_level"]
        native = oqs.native()
        # OQS_KEM_encaps(kem, ciphertext, shared_secret, public_key), OQS_KEM_decaps(kem, shared_secret, ciphertext,
        # secret_key), OQS_KEM_keypair(kem, public_key, secret_key), and _derand with a seed behind.
        self._encaps = _function(native, "OQS_KEM_encaps", 3)
        self._decaps = _function(native, "OQS_KEM_decaps", 3)
        self._keypair = _function(native, "OQS_KEM_keypair", 2)
        self._keypair_derand = _function(native, "OQS_KEM_keypair_derand", 3)

    def generate(self) -> KeyPair:
        """Return a fresh key pair. Raises ProviderUnavailable when the library fails."""
        public_key, secret_key = self._key_buffers()
        self._must(self._keypair(self._mechanism, public_key, secret_key))
        return KeyPair(public_key.raw, secret_key.raw)

    def expand(self, seed: bytes) -> KeyPair:
        """Return the key pair of a seed. Raises KeyFormatError, ProviderUnavailable."""
        if self.seed_bytes == 0 or len(seed) != self.seed_bytes:
            raise KeyFormatError(f"a seed of {self.name} has {self.seed_bytes} bytes, not {len(seed)}")
        public_key, secret_key = self._key_buffers()
        self._must(self._keypair_derand(self._mechanism, public_key, secret_key, seed))
        return KeyPair(public_key.raw, secret_key.raw)

    def encapsulate(self, public_key: bytes) -> Encapsulation:
        """Return a fresh secret and the ciphertext that carries it. Raises KeyFormatError."""
        if len(public_key) != self.public_key_bytes:
            raise KeyFormatError(
                f"a public key of {self.name} has {self.public_key_bytes} bytes, not {len(public_key)}"
            )
        ciphertext = create_string_buffer(self.ciphertext_bytes)
        shared_secret = create_string_buffer(self.shared_secret_bytes)
        if self._encaps(self._mechanism, ciphertext, shared_secret, public_key) != _SUCCESS:
            raise KeyFormatError(f"liboqs refuses the public key of {self.name}")
        return Encapsulation(ciphertext.raw, shared_secret.raw)

    def decapsulate(self, secret_key: bytes, ciphertext: bytes) -> bytes:
        """Return the shared secret that the ciphertext carries. Raises KeyFormatError, CiphertextError."""
        if len(secret_key) != self.secret_key_bytes:
            raise KeyFormatError(
                f"a secret key of {self.name} has {self.secret_key_bytes} bytes, not {len(secret_key)}"
            )
        if len(ciphertext) != self.ciphertext_bytes:
            raise CiphertextError(
                f"a ciphertext of {self.name} has {self.ciphertext_bytes} bytes, not {len(ciphertext)}"
            )
        shared_secret = create_string_buffer(self.shared_secret_bytes)
        if self._decaps(self._mechanism, shared_secret, ciphertext, secret_key) != _SUCCESS:
            raise CiphertextError(f"liboqs refuses the ciphertext of {self.name}")
        return shared_secret.raw

    def _key_buffers(self) -> tuple[Any, Any]:
        return create_string_buffer(self.public_key_bytes), create_string_buffer(self.secret_key_bytes)

    def _must(self, status: int) -> None:
        if status != _SUCCESS:
            raise ProviderUnavailable(f"liboqs could not make a key of {self.name}")


def _function(native: Any, name: str, pointers: int) -> Any:
    """Return a function object of our own, whose argument types liboqs-python does not share."""
    try:
        function = native[name]
    except AttributeError as error:
        raise ProviderUnavailable(f"this build of liboqs has no {name}") from error
    function.argtypes = (c_void_p, *[c_char_p] * pointers)
    function.restype = c_int
    return function
