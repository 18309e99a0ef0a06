"""Keys as PEM: SubjectPublicKeyInfo and PKCS#8 in seed form (RFC 8410, RFC 9881)."""

import re
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from crypto.errors import KeyFormatError, PassphraseError, UnsupportedAlgorithm
from crypto.providers.openssl import native_private_key, native_public_key
from crypto.signatures import SignatureAlgorithm

MAX_PUBLIC_BYTES: Final = 8_192
# A seed-form key has about 300 bytes in PEM, the smallest expanded ML-DSA key 3,500, encrypted or not.
MAX_PRIVATE_BYTES: Final = 1_024
MAX_PASSPHRASE_BYTES: Final = 1_023
_BODY: Final = rb"-----\r?\n(?:[A-Za-z0-9+/]+={0,2}\r?\n)+-----END "
_PRIVATE: Final = re.compile(rb"\s*-----BEGIN ((?:ENCRYPTED )?)PRIVATE KEY" + _BODY + rb"\1PRIVATE KEY-----\s*")
_PUBLIC: Final = re.compile(rb"\s*-----BEGIN PUBLIC KEY" + _BODY + rb"PUBLIC KEY-----\s*")


def encode_public(algorithm: SignatureAlgorithm, raw: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo PEM of a raw public key. Raises KeyFormatError."""
    return native_public_key(algorithm, raw).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def decode_public(pem: bytes) -> tuple[SignatureAlgorithm, bytes]:
    """Return algorithm and raw public key of one SubjectPublicKeyInfo PEM.

    Raises KeyFormatError, UnsupportedAlgorithm.
    """
    _one_block(_PUBLIC, pem, "PUBLIC KEY", MAX_PUBLIC_BYTES)
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, exceptions.UnsupportedAlgorithm) as error:
        raise KeyFormatError(f"not a public key that can be read: {error}") from None
    match key:
        case mldsa.MLDSA44PublicKey():
            return SignatureAlgorithm.ML_DSA_44, key.public_bytes_raw()
        case mldsa.MLDSA65PublicKey():
            return SignatureAlgorithm.ML_DSA_65, key.public_bytes_raw()
        case mldsa.MLDSA87PublicKey():
            return SignatureAlgorithm.ML_DSA_87, key.public_bytes_raw()
        case ed25519.Ed25519PublicKey():
            return SignatureAlgorithm.ED25519, key.public_bytes_raw()
    raise UnsupportedAlgorithm("the key is neither ML-DSA-44, -65, -87 nor Ed25519")


def encode_private(algorithm: SignatureAlgorithm, seed: bytes, passphrase: bytes | None) -> bytes:
    """Return the PKCS#8 PEM of a seed, encrypted unless the passphrase is None.

    Raises KeyFormatError, PassphraseError.
    """
    if passphrase == b"":
        raise PassphraseError("an empty passphrase protects nothing")
    if passphrase is not None and len(passphrase) > MAX_PASSPHRASE_BYTES:
        raise PassphraseError(f"a passphrase has at most {MAX_PASSPHRASE_BYTES} bytes")
    encryption: serialization.KeySerializationEncryption = (
        serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    )
    return native_private_key(algorithm, seed).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def decode_private(pem: bytes, passphrase: bytes | None) -> tuple[SignatureAlgorithm, bytes]:
    """Return algorithm and seed of one PKCS#8 PEM.

    Raises PassphraseError if the passphrase is missing, wrong or not wanted; KeyFormatError for anything else
    that is not a seed-form key, expanded ML-DSA keys included; UnsupportedAlgorithm for keys of other
    algorithms.
    """
    encrypted = _one_block(_PRIVATE, pem, "PRIVATE KEY in seed form", MAX_PRIVATE_BYTES)[1] != b""
    if encrypted and not passphrase:
        raise PassphraseError("the private key is encrypted: a passphrase is needed")
    if not encrypted and passphrase is not None:
        raise PassphraseError("the private key is not encrypted: no passphrase is wanted")
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm) as error:
        if encrypted:
            raise PassphraseError("the passphrase is wrong, or the key file is damaged") from None
        raise KeyFormatError(f"not a private key in seed form: {error}") from None
    match key:
        case mldsa.MLDSA44PrivateKey():
            return SignatureAlgorithm.ML_DSA_44, key.private_bytes_raw()
        case mldsa.MLDSA65PrivateKey():
            return SignatureAlgorithm.ML_DSA_65, key.private_bytes_raw()
        case mldsa.MLDSA87PrivateKey():
            return SignatureAlgorithm.ML_DSA_87, key.private_bytes_raw()
        case ed25519.Ed25519PrivateKey():
            return SignatureAlgorithm.ED25519, key.private_bytes_raw()
    raise UnsupportedAlgorithm("the key is neither ML-DSA-44, -65, -87 nor Ed25519")


def _one_block(pattern: re.Pattern[bytes], pem: bytes, what: str, limit: int) -> re.Match[bytes]:
    if len(pem) > limit:
        raise KeyFormatError(f"a {what} has at most {limit} bytes of PEM, not {len(pem)}")
    match = pattern.fullmatch(pem)
    if match is None:
        raise KeyFormatError(f"not one PEM block of a {what}")
    return match
