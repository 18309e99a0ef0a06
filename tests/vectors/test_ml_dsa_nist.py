"""ML-DSA itself: the ACVP files of NIST, and the known answers that come with `cryptography`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidSignature as NativeInvalidSignature

from crypto import ALGORITHMS, InvalidSignature, PrivateKey, PublicKey, SignatureAlgorithm, SignatureProvider
from crypto.providers.openssl import native_public_key
from tests.vectors.conftest import ReadVectors

BY_PARAMETER_SET = {info.jose: info.algorithm for info in ALGORITHMS.values() if info.post_quantum}
_ANSWER_LINE = re.compile(r"^(\w+) = (\w*)$", re.MULTILINE)


def test_acvp_key_generation(read_vectors: ReadVectors) -> None:
    groups = read_vectors("acvp-ml-dsa-key-gen.json")["testGroups"]
    assert {group["parameterSet"] for group in groups} == set(BY_PARAMETER_SET)
    for group in groups:
        algorithm = BY_PARAMETER_SET[group["parameterSet"]]
        assert len(group["tests"]) == 25
        for case in group["tests"]:
            key = PrivateKey.from_seed(algorithm, bytes.fromhex(case["seed"]))
            assert key.public_key.raw == bytes.fromhex(case["pk"]), case["tcId"]


def test_acvp_signature_verification(read_vectors: ReadVectors) -> None:
    """The cases are of ML-DSA.Verify_internal, which has no context: μ = SHAKE256(tr || M), FIPS 204 algorithm 8."""
    groups = read_vectors("acvp-ml-dsa-sig-ver.json")["testGroups"]
    verdicts = []
    for group in groups:
        algorithm, raw = BY_PARAMETER_SET[group["parameterSet"]], bytes.fromhex(group["pk"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
            mu = hashlib.shake_256(hashlib.shake_256(raw).digest(64) + message).digest(64)
            try:
                native_public_key(algorithm, raw).verify_mu(signature, mu)  # type: ignore[union-attr]
            except NativeInvalidSignature:
                valid = False
            else:
                valid = True
            assert valid == case["testPassed"], (case["tcId"], case["reason"])
            verdicts.append(valid)
            # Without the two octets that FIPS 204 algorithm 3 puts before a message, no signature is one of ours.
            with pytest.raises(InvalidSignature):
                PublicKey.from_raw(algorithm, raw).verify(signature, message)
    assert (len(verdicts), sum(verdicts)) == (45, 9)


def _known_answers(algorithm: SignatureAlgorithm) -> Iterator[dict[str, str]]:
    name = f"kat_MLDSA_{algorithm.removeprefix('ml-dsa-')}_det_pure.rsp"
    path = Path(cryptography_vectors.__path__[0]) / "asymmetric" / "MLDSA" / name
    for answer in path.read_text().split("count = ")[1:]:
        yield dict(_ANSWER_LINE.findall(answer))


@pytest.mark.parametrize("algorithm", BY_PARAMETER_SET.values())
def test_known_answers_have_our_keys_and_are_refused_for_their_contexts(
    algorithm: SignatureAlgorithm, providers: list[SignatureProvider]
) -> None:
    answers = list(_known_answers(algorithm))
    assert len(answers) == 100
    for answer in answers:
        key = PrivateKey.from_seed(algorithm, bytes.fromhex(answer["xi"])).public_key
        assert key.raw == bytes.fromhex(answer["pk"])
        signature = bytes.fromhex(answer["sm"])[: ALGORITHMS[algorithm].signature_bytes]
        message, context = bytes.fromhex(answer["msg"]), bytes.fromhex(answer["ctx"])
        assert context
        native_public_key(algorithm, key.raw).verify(signature, message, context)  # type: ignore[call-arg]
        for provider in providers:
            with pytest.raises(InvalidSignature):
                provider.verifier(algorithm, key.raw).verify(signature, message)
