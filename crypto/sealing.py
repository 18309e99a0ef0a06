"""Sealed bodies: HPKE to a key, or AES-256-GCM under a session's keys, bound to one message.

What binds is the *context*: the bytes of `request_context` or `response_context`, which name the message that the body
belongs to. AES-256-GCM takes it as associated data. HPKE (RFC 9180) takes it as `info`, which goes into its key
schedule: a body that is opened with another info is opened with another key, and fails. As every sealing here makes a
fresh encapsulation and encrypts one message with it, `info` binds as much as associated data would.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto.base64url import encode_base64url
from crypto.errors import FieldSyntaxError, KeyFormatError, SealingError, UnsealingError
from crypto.kem import KEM_ALGORITHMS, KemAlgorithm
from crypto.messages import Request
from crypto.providers.x_wing import expand_seed
from crypto.weak_keys import refuse_small_order

MEDIA_TYPE: Final = "application/vnd.secure-api.sealed"
REPLY_KID: Final = "reply"
MAX_CONTENT_TYPE: Final = 255  # characters of a sealed body's own type
AEAD_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_INFO: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING]
_ML_KEM: Final = KEM_ALGORITHMS[KemAlgorithm.ML_KEM_768]
_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
# One spelling: what is bound byte for byte must not have two.
_CONTENT_TYPE: Final = re.compile(
    rf"{re.escape(MEDIA_TYPE)};alg=([a-z0-9-]{{1,32}});kid=([A-Za-z0-9_-]{{1,43}});"
    rf'type="([\x20\x21\x23-\x5b\x5d-\x7e]{{1,{MAX_CONTENT_TYPE}}})"'
)
_LINE: Final = re.compile(r"[\x20-\x7e]*+")


class SealingAlgorithm(StrEnum):
    """How a body is sealed; the value is the `alg` parameter of its content type."""

    HPKE_X_WING = "hpke-x-wing"
    AES_256_GCM = "aes-256-gcm"


_ALGORITHMS: Final = {member.value: member for member in SealingAlgorithm}


@dataclass(frozen=True, slots=True)
class SealedType:
    """The content type of a sealed body: algorithm, which key (`kid`), and the content type of what is inside."""

    algorithm: SealingAlgorithm
    kid: str
    content_type: str

    @classmethod
    def parse(cls, text: str) -> SealedType:
        """Read the value of a Content-Type field whose media type is `MEDIA_TYPE`. Raises UnsealingError."""
        match = _CONTENT_TYPE.fullmatch(text)
        if match is None:
            raise UnsealingError(f"not in the one form of a sealed content type: {text[:64]!r}")
        algorithm = _ALGORITHMS.get(match[1])
        if algorithm is None:
            raise UnsealingError(f"no such algorithm: {match[1]}")
        return cls(algorithm, match[2], match[3])

    @property
    def text(self) -> str:
        """The value of the Content-Type field. Raises SealingError."""
        text = f'{MEDIA_TYPE};alg={self.algorithm};kid={self.kid};type="{self.content_type}"'
        if _CONTENT_TYPE.fullmatch(text) is None:
            raise SealingError(f"cannot be sealed: the content type {self.content_type[:64]!r}")
        return text


def is_sealed(content_type: str) -> bool:
    """Tell whether a content type is that of a sealed body, well-formed or not."""
    return len(content_type) >= len(MEDIA_TYPE) and content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def request_context(request: Request, *, content_type: str, keyid: str, nonce: str) -> bytes:
    """Return what a request's sealed body is bound to: lines joined by U+000A.

    `secure-api sealed request v1`, then `@method`, `@authority`, `@path`, `@query` (as RFC 9421 derives them), the
    sealed content type, and keyid and nonce of the request's first signature. Raises FieldSyntaxError.
    """
    target = [request.component(name) for name in ("@method", "@authority", "@path", "@query")]
    named = (_line("content type", content_type), _line("keyid", keyid), _line("nonce", nonce))
    return "\n".join(("secure-api sealed request v1", *target, *named)).encode("ascii")


def response_context(request_context: bytes, *, status: int, content_type: str) -> bytes:
    """Return what the sealed body of the answer is bound to.

    `secure-api sealed response v1`, the status code, the sealed content type of the response, and then the lines of
    the request's own context. Raises FieldSyntaxError.
    """
    content_type = _line("content type", content_type)
    return f"secure-api sealed response v1\n{status:d}\n{content_type}\n".encode("ascii") + request_context


def sealing_kid(public_key: bytes) -> str:
    """Return the name of a sealing key: base64url, without padding, of the SHA-256 of its raw bytes (43 characters)."""
    return encode_base64url(hashlib.sha256(public_key).digest())


def sealing_key_statement(public_key: bytes, *, created: int, retires: int, expires: int) -> bytes:
    """Return what the server's signing key signs to vouch for a sealing key; times in seconds since the epoch.

    Lines joined by U+000A: `secure-api sealing key v1`, `hpke-x-wing`, the kid, the three times in decimal digits.
    The kid is a hash of the public key, so it stands for all of it.
    """
    lines = ("secure-api sealing key v1", SealingAlgorithm.HPKE_X_WING, sealing_kid(public_key))
    return "\n".join((*lines, f"{created:d}", f"{retires:d}", f"{expires:d}")).encode("ascii")


class SealingPublicKey:
    """An X-Wing public key to seal to (HPKE KEM 0x647a, 1,216 bytes). Raises KeyFormatError."""

    __slots__ = ("_key", "raw")

    def __init__(self, raw: bytes) -> None:
        _INFO.check_public_key(raw)
        self.raw = bytes(raw)
        ml_kem, x25519 = raw[: _ML_KEM.public_key_bytes], raw[_ML_KEM.public_key_bytes :]
        refuse_small_order(x25519)  # now, and not when an answer has to be sealed
        try:
            self._key = hpke.MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(ml_kem), X25519PublicKey.from_public_bytes(x25519)
            )
        except ValueError as error:
            raise KeyFormatError(f"not an X-Wing public key: {error}") from None

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Return encapsulation (1,120 bytes), ciphertext and tag (16 bytes). Raises KeyFormatError."""
        try:
            return _SUITE.encrypt(plaintext, self._key, context)
        except ValueError as error:  # an X25519 part of small order (RFC 9180 §7.1.4)
            raise KeyFormatError(f"nothing can be sealed to this X-Wing public key: {error}") from None


class SealingPrivateKey:
    """The key that opens, from its 32-byte seed. It is never pickled, its repr hides it. Raises KeyFormatError."""

    __slots__ = ("_key", "public_key")

    def __init__(self, seed: bytes) -> None:
        ml_kem_seed, x25519_key = expand_seed(seed)
        ml_kem = MLKEM768PrivateKey.from_seed_bytes(ml_kem_seed)
        x25519 = X25519PrivateKey.from_private_bytes(x25519_key)
        self._key = hpke.MLKEM768X25519PrivateKey(ml_kem, x25519)
        self.public_key: Final = ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed to this key in this context. Raises UnsealingError."""
        if len(sealed) < _INFO.ciphertext_bytes + TAG_BYTES:
            raise UnsealingError(f"{len(sealed)} bytes are too few to be sealed")
        try:
            return _SUITE.decrypt(sealed, self._key, context)
        except (InvalidTag, ValueError):
            raise UnsealingError("not sealed to this key, for this message") from None

    def __repr__(self) -> str:
        """Say what it is, never the key."""
        return "SealingPrivateKey()"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the seed in clear."""
        raise TypeError("a SealingPrivateKey is not pickled or copied")


def seal_under(key: bytes, plaintext: bytes, context: bytes, nonce: bytes) -> bytes:
    """Return nonce (12 bytes, random and never used before under this key), ciphertext and tag, by AES-256-GCM.

    Raises KeyFormatError (not 32 bytes), SealingError (the nonce's length).
    """
    if len(nonce) != NONCE_BYTES:
        raise SealingError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    return nonce + _cipher(key).encrypt(nonce, plaintext, context)


def open_under(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Return what `seal_under` sealed under this key in this context. Raises UnsealingError, KeyFormatError."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise UnsealingError(f"{len(sealed)} bytes are too few to be sealed")
    try:
        return _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except InvalidTag:
        raise UnsealingError("not sealed under this key, for this message") from None


def _cipher(key: bytes) -> AESGCM:
    # AESGCM would take a shorter key, and be AES-128.
    if len(key) != AEAD_KEY_BYTES:
        raise KeyFormatError(f"a key of AES-256-GCM has {AEAD_KEY_BYTES} bytes, not {len(key)}")
    return AESGCM(key)


def _line(name: str, value: str) -> str:
    # A line break in a value could pass for the next line: two messages would have one context.
    if _LINE.fullmatch(value) is None:
        raise FieldSyntaxError("malformed-field", f"the {name} of a sealed message is not printable ASCII")
    return value
