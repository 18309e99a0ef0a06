"""The three vectors of draft-connolly-cfrg-xwing-kem (spec/test-vectors.json), keys and ciphertexts by their SHA-256.

The ciphertexts are encapsulated anew from the draft's randomness: that takes the C interface of liboqs. The two X-Wing
vectors of hpke-pq, in test_ml_kem.py, need no liboqs.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto import Encapsulation, KemAlgorithm, KemProvider
from crypto.providers.openssl_kem import OpenSSLKemProvider
from crypto.providers.x_wing import combine
from tests.vectors.liboqs_encapsulation import NEEDS_OQS, encapsulate_with


@dataclass(frozen=True)
class Vector:
    """One vector, in hexadecimal."""

    seed: str
    encapsulation_seed: str
    shared_secret: str
    public_key_sha256: str
    ciphertext_sha256: str


VECTORS = [
    Vector(
        seed="7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
        encapsulation_seed="3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2"
        "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
        shared_secret="d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
        public_key_sha256="2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb",
        ciphertext_sha256="17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33",
    ),
    Vector(
        seed="badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
        encapsulation_seed="17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef"
        "aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
        shared_secret="f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
        public_key_sha256="c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916",
        ciphertext_sha256="1661ea86d608a1924ba30840cb0a65f13ae051e3aec9cf0f064efc0bc92f2154",
    ),
    Vector(
        seed="ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9",
        encapsulation_seed="22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619"
        "f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b",
        shared_secret="953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f",
        public_key_sha256="6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95",
        ciphertext_sha256="d3ca5578500344b5896cffc4fd740c9311946b82951df155e6fd86a7966b43c6",
    ),
]
EVERY_VECTOR = pytest.mark.parametrize("vector", VECTORS, ids=["1", "2", "3"])


def _encapsulate(vector: Vector, public_key: bytes) -> Encapsulation:
    """EncapsulateDerand of the draft, §5.4.1, from other parts than the product's: only `combine` is shared."""
    randomness = bytes.fromhex(vector.encapsulation_seed)
    ephemeral = X25519PrivateKey.from_private_bytes(randomness[32:])
    x25519_ciphertext = ephemeral.public_key().public_bytes_raw()
    x25519_secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key[1184:]))
    ciphertext, secret = encapsulate_with(randomness[:32], KemAlgorithm.ML_KEM_768, public_key[:1184])
    shared_secret = combine(secret, x25519_secret, x25519_ciphertext, public_key[1184:])
    return Encapsulation(ciphertext + x25519_ciphertext, shared_secret)


@EVERY_VECTOR
def test_the_seed_gives_the_public_key(vector: Vector) -> None:
    key = OpenSSLKemProvider().decapsulator(KemAlgorithm.X_WING, bytes.fromhex(vector.seed))
    assert sha256(key.public_key).hexdigest() == vector.public_key_sha256


@pytest.mark.oqs
@NEEDS_OQS[1]
@EVERY_VECTOR
def test_both_libraries_open_the_ciphertext(vector: Vector) -> None:
    from crypto.providers.oqs_kem import OqsKemProvider

    providers: list[KemProvider] = [OpenSSLKemProvider(), OqsKemProvider()]
    for provider in providers:
        key = provider.decapsulator(KemAlgorithm.X_WING, bytes.fromhex(vector.seed))
        assert sha256(key.public_key).hexdigest() == vector.public_key_sha256
        ciphertext, shared_secret = _encapsulate(vector, key.public_key)
        assert sha256(ciphertext).hexdigest() == vector.ciphertext_sha256
        assert key.decapsulate(ciphertext) == shared_secret == bytes.fromhex(vector.shared_secret)
