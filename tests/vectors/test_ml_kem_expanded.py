"""The ACVP vectors whose private keys are expanded, or whose randomness is given: only liboqs takes either.

`cryptography` loads ML-KEM keys as seeds only, and draws the randomness of encapsulation itself. So OpenSSL's half is
that the expanded key of a vector opens, in liboqs, what OpenSSL encapsulated to its public key.
"""

from __future__ import annotations

import pytest

from crypto import KemAlgorithm
from crypto.providers.openssl_kem import OpenSSLKemProvider
from crypto.providers.oqs_native_kem import NativeKem
from tests.vectors.acvp import from_hex, groups
from tests.vectors.conftest import ReadVectors
from tests.vectors.liboqs_encapsulation import NEEDS_OQS, encapsulate_with

pytestmark = list(NEEDS_OQS)
FILE = "acvp-ml-kem-encap-decap.json"
EVERY_SIZE = pytest.mark.parametrize("algorithm", [KemAlgorithm.ML_KEM_768, KemAlgorithm.ML_KEM_1024], ids=str)


@EVERY_SIZE
def test_acvp_encapsulation(algorithm: KemAlgorithm, read_vectors: ReadVectors) -> None:
    liboqs, openssl = NativeKem(algorithm.upper()), OpenSSLKemProvider()
    checked = 0
    for group in groups(read_vectors(FILE), algorithm, function="encapsulation"):
        for test in group["tests"]:
            randomness, public_key, secret_key, ciphertext, secret = from_hex(test, "m", "ek", "dk", "c", "k")
            assert encapsulate_with(randomness, algorithm, public_key) == (ciphertext, secret), test["tcId"]
            assert liboqs.decapsulate(secret_key, ciphertext) == secret
            theirs = openssl.encapsulator(algorithm, public_key).encapsulate()
            assert liboqs.decapsulate(secret_key, theirs.ciphertext) == theirs.shared_secret
            checked += 1
    assert checked == 25


@EVERY_SIZE
def test_acvp_decapsulation(algorithm: KemAlgorithm, read_vectors: ReadVectors) -> None:
    """Half of the ciphertexts are modified: their secret is that of implicit rejection."""
    liboqs = NativeKem(algorithm.upper())
    reasons: list[str] = []
    for group in groups(read_vectors(FILE), algorithm, function="decapsulation"):
        secret_key = bytes.fromhex(group["dk"])
        for test in group["tests"]:
            ciphertext, secret = from_hex(test, "c", "k")
            assert liboqs.decapsulate(secret_key, ciphertext) == secret, test["tcId"]
            reasons.append(test["reason"])
    assert len(reasons) == 10
    assert set(reasons) == {"no modification", "modify ciphertext"}
