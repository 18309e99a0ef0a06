"""One signature mechanism of liboqs, by its own name, with every length checked before liboqs sees the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p, cast, create_string_buffer
from typing import Any, Final

from crypto.errors import InvalidSignature, KeyFormatError, ProviderUnavailable, SigningError
from crypto.providers import oqs_library
from crypto.providers.oqs_native_kem import KeyPair

_SUCCESS: Final = 0


class NativeSignature:
    """The mechanism that liboqs calls `name`; sizes in bytes. Raises ProviderUnavailable.

    `signature_bytes` is the largest length; only where `variable_length` is true can a signature be shorter.
    """

    def __init__(self, name: str, *, variable_length: bool = False) -> None:
        oqs = oqs_library.load()
        if not oqs.is_sig_enabled(name):
            raise ProviderUnavailable(f"this build of liboqs has no {name}")
        self.name = name
        self.variable_length = variable_length
        self._handle = oqs.Signature(name)
        self._mechanism = cast(self._handle._sig, c_void_p)
        details: Mapping[str, Any] = self._handle.details
        self.public_key_bytes: int = details["length_public_key"]
        self.secret_key_bytes: int = details["length_secret_key"]
        self.signature_bytes: int = details["length_signature"]
        self.security_level: int = details["claimed_nist_level"]
        # By subscript: function objects of our own, whose argument types liboqs-python does not share.
        # OQS_SIG_keypair(sig, public_key, secret_key); OQS_SIG_sign(sig, signature, signature_len*, message,
        # message_len, secret_key); OQS_SIG_verify(sig, message, message_len, signature, signature_len, public_key)
        native = oqs.native()
        self._keypair, self._sign, self._verify = (native[f"OQS_SIG_{verb}"] for verb in ("keypair", "sign", "verify"))
        self._keypair.argtypes = (c_void_p, c_char_p, c_char_p)
        self._sign.argtypes = (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t, c_char_p)
        self._verify.argtypes = (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_char_p)
        for function in (self._keypair, self._sign, self._verify):
            function.restype = c_int

    def generate(self) -> KeyPair:
        """Return a fresh key pair. Raises ProviderUnavailable when the library fails."""
        public_key, secret_key = (create_string_buffer(size) for size in (self.public_key_bytes, self.secret_key_bytes))
        if self._keypair(self._mechanism, public_key, secret_key) != _SUCCESS:
            raise ProviderUnavailable(f"liboqs could not make a key of {self.name}")
        return KeyPair(public_key.raw, secret_key.raw)

    def sign(self, secret_key: bytes, message: bytes) -> bytes:
        """Return a signature over the message. Raises KeyFormatError, SigningError."""
        if len(secret_key) != self.secret_key_bytes:
            raise KeyFormatError(
                f"a secret key of {self.name} has {self.secret_key_bytes} bytes, not {len(secret_key)}"
            )
        signature, length = create_string_buffer(self.signature_bytes), c_size_t(self.signature_bytes)
        if self._sign(self._mechanism, signature, byref(length), message, len(message), secret_key) != _SUCCESS:
            raise SigningError(f"liboqs could not sign by {self.name}")
        return signature.raw[: length.value]

    def verify(self, public_key: bytes, signature: bytes, message: bytes) -> None:
        """Return if the signature is valid for the message. Raises KeyFormatError, InvalidSignature."""
        if len(public_key) != self.public_key_bytes:
            raise KeyFormatError(
                f"a public key of {self.name} has {self.public_key_bytes} bytes, not {len(public_key)}"
            )
        shortest = 1 if self.variable_length else self.signature_bytes
        if not shortest <= len(signature) <= self.signature_bytes:
            most = "at most " if self.variable_length else ""
            detail = f"a signature of {self.name} has {most}{self.signature_bytes} bytes, not {len(signature)}"
            raise InvalidSignature(detail=detail)
        if self._verify(self._mechanism, message, len(message), signature, len(signature), public_key) != _SUCCESS:
            raise InvalidSignature
