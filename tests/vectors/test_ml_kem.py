"""ML-KEM from seeds, in both libraries, against NIST ACVP, post-quantum-cryptography/KAT and the vectors of hpke-pq.

Both draw the randomness of encapsulation themselves, so that is checked the other way round: the key opens the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cryptography_vectors
import pytest

from crypto import KemAlgorithm, KemProvider
from crypto.providers.openssl_kem import OpenSSLKemProvider
from tests.vectors.acvp import from_hex, groups
from tests.vectors.conftest import ReadVectors
from tests.vectors.liboqs_encapsulation import NEEDS_OQS

ML_KEM = (KemAlgorithm.ML_KEM_768, KemAlgorithm.ML_KEM_1024)
ANSWERS_READ = 100
INSTALLED = Path(cryptography_vectors.__file__).parent
EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", ML_KEM, ids=str)


@dataclass(frozen=True)
class KnownAnswer:
    """One entry of a .rsp file: `ciphertext` was made for the key, `spoilt` was not and is rejected implicitly."""

    seed: bytes
    public_key: bytes
    ciphertext: bytes
    shared_secret: bytes
    spoilt: bytes
    spoilt_secret: bytes


@pytest.fixture(scope="module", params=["openssl", pytest.param("oqs", marks=NEEDS_OQS)])
def provider(request: pytest.FixtureRequest) -> KemProvider:
    if request.param == "openssl":
        return OpenSSLKemProvider()
    from crypto.providers.oqs_kem import OqsKemProvider

    return OqsKemProvider()


def _known_answers(algorithm: KemAlgorithm) -> Iterator[KnownAnswer]:
    entry: dict[str, str] = {}
    name = algorithm.removeprefix("ml-kem-")
    with (INSTALLED / "asymmetric" / "MLKEM" / f"kat_MLKEM_{name}.rsp").open() as lines:
        for line in lines:
            member, _, value = line.strip().partition(" = ")
            entry[member] = value
            if member == "ss":
                ciphertext, secret, spoilt, spoilt_secret = from_hex(entry, "ct", "ss", "ct_n", "ss_n")
                d, z, public_key = from_hex(entry, "d", "z", "pk")
                yield KnownAnswer(d + z, public_key, ciphertext, secret, spoilt, spoilt_secret)


@EVERY_ALGORITHM
def test_acvp_key_generation(provider: KemProvider, algorithm: KemAlgorithm, read_vectors: ReadVectors) -> None:
    checked = 0
    for group in groups(read_vectors("acvp-ml-kem-key-gen.json"), algorithm):
        for test in group["tests"]:
            d, z, public_key = from_hex(test, "d", "z", "ek")
            assert provider.decapsulator(algorithm, d + z).public_key == public_key, test["tcId"]
            checked += 1
    assert checked == 25


@EVERY_ALGORITHM
def test_known_answers(provider: KemProvider, algorithm: KemAlgorithm) -> None:
    answers = list(islice(_known_answers(algorithm), ANSWERS_READ))
    for answer in answers:
        key = provider.decapsulator(algorithm, answer.seed)
        assert key.public_key == answer.public_key
        assert key.decapsulate(answer.ciphertext) == answer.shared_secret
        assert key.decapsulate(answer.spoilt) == answer.spoilt_secret
    assert len(answers) == ANSWERS_READ


@pytest.mark.parametrize(("kem_id", "algorithm"), [(0x41, ML_KEM[0]), (0x42, ML_KEM[1]), (0x647A, KemAlgorithm.X_WING)])
def test_the_kem_of_hpke_pq(provider: KemProvider, kem_id: int, algorithm: KemAlgorithm) -> None:
    vectors = json.loads((INSTALLED / "HPKE" / "hpke-pq-test-vectors.json").read_bytes())
    ours = [vector for vector in vectors if vector["kem_id"] == kem_id]
    for vector in ours:
        seed, public_key, ciphertext, shared_secret = from_hex(vector, "skRm", "pkRm", "enc", "shared_secret")
        key = provider.decapsulator(algorithm, seed)
        assert key.public_key == public_key
        assert key.decapsulate(ciphertext) == shared_secret
        provider.encapsulator(algorithm, public_key)
    assert len(ours) == {0x41: 1, 0x42: 2, 0x647A: 2}[kem_id]


@EVERY_ALGORITHM
def test_acvp_public_keys_are_accepted(
    provider: KemProvider, algorithm: KemAlgorithm, read_vectors: ReadVectors
) -> None:
    found = groups(read_vectors("acvp-ml-kem-encap-decap.json"), algorithm, function="encapsulation")
    keys = [bytes.fromhex(test["ek"]) for group in found for test in group["tests"]]
    for public_key in keys:
        assert len(provider.encapsulator(algorithm, public_key).encapsulate().shared_secret) == 32
    assert len(keys) == 25
