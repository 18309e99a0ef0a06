"""Public keys as JWK: AKP for ML-DSA (RFC 9964), OKP for Ed25519 (RFC 8037), and their thumbprints (RFC 7638)."""

import hashlib
from collections.abc import Mapping
from typing import Final

from crypto.base64url import decode_base64url, encode_base64url
from crypto.errors import KeyFormatError
from crypto.signatures import ALGORITHMS, SignatureAlgorithm

_PRIVATE_MEMBERS: Final = ("priv", "d", "k", "p", "q", "dp", "dq", "qi", "oth")
_AKP_ALGORITHMS: Final = {info.jose: info.algorithm for info in ALGORITHMS.values() if info.kty == "AKP"}


def to_jwk(algorithm: SignatureAlgorithm, raw: bytes) -> dict[str, str]:
    """Return the JWK of a raw public key, with the members its thumbprint covers and no others."""
    if algorithm is SignatureAlgorithm.ED25519:
        return {"crv": "Ed25519", "kty": "OKP", "x": encode_base64url(raw)}
    return {"alg": ALGORITHMS[algorithm].jose, "kty": "AKP", "pub": encode_base64url(raw)}


def thumbprint(algorithm: SignatureAlgorithm, raw: bytes) -> str:
    """Return the base64url RFC 7638 SHA-256 thumbprint: 43 characters."""
    members = ",".join(f'"{name}":"{value}"' for name, value in sorted(to_jwk(algorithm, raw).items()))
    return encode_base64url(hashlib.sha256(f"{{{members}}}".encode("ascii")).digest())


def from_jwk(jwk: Mapping[str, object]) -> tuple[SignatureAlgorithm, bytes]:
    """Return algorithm and raw public key of a JWK.

    Members that RFC 7517 does not give a meaning here are ignored, as it demands; private members are
    refused, so that a private key sent by mistake is noticed by its owner. Raises KeyFormatError.
    """
    for name in _PRIVATE_MEMBERS:
        if name in jwk:
            raise KeyFormatError(f"the JWK holds private key material in {name!r}: send the public key only")
    kty = _text(jwk, "kty")
    if kty == "AKP":
        algorithm = _AKP_ALGORITHMS.get(_text(jwk, "alg"))
        if algorithm is None:
            raise KeyFormatError(f"the alg of an AKP JWK must be one of {', '.join(_AKP_ALGORITHMS)}")
        member = "pub"
    elif kty == "OKP":
        if _text(jwk, "crv") != "Ed25519":
            raise KeyFormatError("the crv of an OKP JWK must be Ed25519")
        if jwk.get("alg", "EdDSA") not in ("EdDSA", "Ed25519"):
            raise KeyFormatError("the alg of an Ed25519 JWK must be EdDSA or Ed25519")
        algorithm, member = SignatureAlgorithm.ED25519, "x"
    else:
        raise KeyFormatError("the kty of a JWK must be AKP (ML-DSA) or OKP (Ed25519)")
    _check_purpose(jwk)
    encoded = _text(jwk, member)
    expected = ALGORITHMS[algorithm].public_key_bytes
    if len(encoded) != (expected * 4 + 2) // 3:
        raise KeyFormatError(f"{member!r} of {algorithm} has {expected} bytes in base64url without padding")
    return algorithm, decode_base64url(encoded)


def _text(jwk: Mapping[str, object], member: str) -> str:
    value = jwk.get(member)
    if not isinstance(value, str):
        raise KeyFormatError(f"a JWK needs the text member {member!r}")
    return value


def _check_purpose(jwk: Mapping[str, object]) -> None:
    if jwk.get("use", "sig") != "sig":
        raise KeyFormatError("the use of a JWK must be sig")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeyFormatError("the key_ops of a JWK must hold verify")
