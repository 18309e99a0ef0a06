from __future__ import annotations

import dataclasses

import pytest

from crypto import ALGORITHMS, AlgorithmInfo, PrivateKey, SignatureAlgorithm, UnsupportedAlgorithm

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)


def test_the_allow_list_is_exactly_this() -> None:
    assert [str(algorithm) for algorithm in SignatureAlgorithm] == ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "ed25519"]
    assert ALGORITHMS.keys() == set(SignatureAlgorithm)


@EVERY_ALGORITHM
def test_sizes_are_those_of_real_keys_and_signatures(algorithm: SignatureAlgorithm) -> None:
    info = ALGORITHMS[algorithm]
    key = PrivateKey.generate(algorithm)
    assert info.algorithm is algorithm
    assert len(key.seed) == info.seed_bytes
    assert len(key.public_key.raw) == info.public_key_bytes
    assert len(key.sign(b"message")) == info.signature_bytes


def test_facts_are_those_of_the_standards() -> None:
    facts = {
        str(info.algorithm): (info.jose, info.kty, info.security_level, info.standard, info.post_quantum)
        for info in ALGORITHMS.values()
    }
    assert facts == {
        "ml-dsa-44": ("ML-DSA-44", "AKP", 2, "FIPS 204", True),
        "ml-dsa-65": ("ML-DSA-65", "AKP", 3, "FIPS 204", True),
        "ml-dsa-87": ("ML-DSA-87", "AKP", 5, "FIPS 204", True),
        "ed25519": ("EdDSA", "OKP", 0, "RFC 8032", False),
    }


@EVERY_ALGORITHM
def test_an_algorithm_is_found_by_its_name(algorithm: SignatureAlgorithm) -> None:
    assert SignatureAlgorithm.named(algorithm.value) is algorithm


@pytest.mark.parametrize("name", ["", "ML-DSA-65", "ml_dsa_65", "eddsa", "rsa-pss-sha512", "hmac-sha256", "none"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="one of ml-dsa-44, ml-dsa-65, ml-dsa-87, ed25519"):
        SignatureAlgorithm.named(name)


def test_nobody_changes_the_registry() -> None:
    with pytest.raises(TypeError):
        ALGORITHMS[SignatureAlgorithm.ED25519] = ALGORITHMS[SignatureAlgorithm.ML_DSA_44]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALGORITHMS[SignatureAlgorithm.ED25519].seed_bytes = 0  # type: ignore[misc]
    assert isinstance(ALGORITHMS[SignatureAlgorithm.ED25519], AlgorithmInfo)
