"""What is verified: the product's algorithms by its libraries, with signatures to verify."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from crypto import MacKey, SignatureAlgorithm
from experiments.offload.ways import Verify
from experiments.schemes.product_signatures import OpenSSLSignature, OqsSignature

#: Bytes of a message: what the signature base of a usual request has.
MESSAGE_BYTES: Final = 400
MESSAGES: Final = 16

Signed = list[tuple[bytes, bytes]]


def ml_dsa_openssl(random: Random) -> tuple[Verify, Signed]:
    """ML-DSA-65 by OpenSSL."""
    return _of_scheme(OpenSSLSignature(SignatureAlgorithm.ML_DSA_65), random)


def ml_dsa_oqs(random: Random) -> tuple[Verify, Signed]:
    """ML-DSA-65 by liboqs. Raises Unavailable."""
    return _of_scheme(OqsSignature(SignatureAlgorithm.ML_DSA_65), random)


def ed25519(random: Random) -> tuple[Verify, Signed]:
    """Ed25519 by OpenSSL."""
    return _of_scheme(OpenSSLSignature(SignatureAlgorithm.ED25519), random)


def hmac_sha256(random: Random) -> tuple[Verify, Signed]:
    """HMAC-SHA256 by OpenSSL, which signs the requests of a session."""
    key = MacKey("session", random.randbytes(32))
    return key.verify, [(key.sign(message), message) for message in _messages(random)]


#: By algorithm and library; each gives what verifies, and pairs of signature and message.
VERIFIERS: Final[Mapping[tuple[str, str], Callable[[Random], tuple[Verify, Signed]]]] = MappingProxyType(
    {
        ("ml-dsa-65", "openssl"): ml_dsa_openssl,
        ("ml-dsa-65", "oqs"): ml_dsa_oqs,
        ("ed25519", "openssl"): ed25519,
        ("hmac-sha256", "openssl"): hmac_sha256,
    }
)


def _of_scheme(scheme: OpenSSLSignature | OqsSignature, random: Random) -> tuple[Verify, Signed]:
    public_key, secret = scheme.generate()
    sign = scheme.signer(secret)
    return scheme.verifier(public_key), [(sign(message), message) for message in _messages(random)]


def _messages(random: Random) -> list[bytes]:
    return [random.randbytes(MESSAGE_BYTES) for _ in range(MESSAGES)]
