from __future__ import annotations

from types import MappingProxyType

import pytest
from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from crypto import (
    ALGORITHMS,
    InvalidSignature,
    KeyFormatError,
    ProviderUnavailable,
    SignatureAlgorithm,
    SignatureProvider,
    UnsupportedAlgorithm,
)
from crypto.providers import OpenSSLProvider, openssl

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)
PROVIDER: SignatureProvider = OpenSSLProvider()
SEED = bytes(range(32))


def _raw(algorithm: SignatureAlgorithm) -> bytes:
    return openssl.derive_public_key(algorithm, SEED)


def test_it_carries_every_algorithm_here() -> None:
    assert PROVIDER.name == "openssl"
    assert PROVIDER.algorithms == set(SignatureAlgorithm)


@EVERY_ALGORITHM
def test_it_verifies_what_it_signed(algorithm: SignatureAlgorithm) -> None:
    signature = PROVIDER.signer(algorithm, SEED).sign(b"message")
    verifier = PROVIDER.verifier(algorithm, _raw(algorithm))
    verifier.verify(signature, b"message")
    for wrong, message in ((signature, b""), (signature[::-1], b"message"), (bytes(len(signature)), b"message")):
        with pytest.raises(InvalidSignature):
            verifier.verify(wrong, message)


@EVERY_ALGORITHM
@pytest.mark.parametrize("change", [-1, 1])
def test_lengths_are_checked_before_the_library_sees_them(algorithm: SignatureAlgorithm, change: int) -> None:
    info = ALGORITHMS[algorithm]
    with pytest.raises(KeyFormatError, match=f"has {info.public_key_bytes} bytes"):
        PROVIDER.verifier(algorithm, b"\x01" * (info.public_key_bytes + change))
    with pytest.raises(KeyFormatError, match="has 32 bytes"):
        PROVIDER.signer(algorithm, bytes(32 + change))
    with pytest.raises(InvalidSignature, match=f"has {info.signature_bytes} bytes"):
        PROVIDER.verifier(algorithm, _raw(algorithm)).verify(bytes(info.signature_bytes + change), b"")


@EVERY_ALGORITHM
def test_seeds_are_fresh(algorithm: SignatureAlgorithm) -> None:
    seeds = {PROVIDER.generate_seed(algorithm) for _ in range(100)}
    assert len(seeds) == 100
    assert {len(seed) for seed in seeds} == {32}


@pytest.mark.parametrize(
    ("algorithm", "native", "other_context"),
    [
        (SignatureAlgorithm.ML_DSA_44, mldsa.MLDSA44PrivateKey, b"context"),
        (SignatureAlgorithm.ML_DSA_65, mldsa.MLDSA65PrivateKey, b"\0"),
        (SignatureAlgorithm.ML_DSA_87, mldsa.MLDSA87PrivateKey, b"context"),
    ],
)
def test_the_context_of_ml_dsa_is_empty(
    algorithm: SignatureAlgorithm, native: type[mldsa.MLDSA44PrivateKey], other_context: bytes
) -> None:
    key = native.from_seed_bytes(SEED)
    verifier = PROVIDER.verifier(algorithm, _raw(algorithm))
    verifier.verify(key.sign(b"message"), b"message")
    verifier.verify(key.sign(b"message", b""), b"message")
    with pytest.raises(InvalidSignature):
        verifier.verify(key.sign(b"message", other_context), b"message")


def test_ed25519_is_the_pure_one() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
    PROVIDER.verifier(SignatureAlgorithm.ED25519, _raw(SignatureAlgorithm.ED25519)).verify(key.sign(b"m"), b"m")


def test_an_ed25519_signature_with_another_s_of_the_same_residue_is_refused() -> None:
    """S + L verifies in careless libraries: one message would have two signatures (RFC 8032 §5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = PROVIDER.signer(SignatureAlgorithm.ED25519, SEED).sign(b"message")
    larger = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    with pytest.raises(InvalidSignature):
        PROVIDER.verifier(SignatureAlgorithm.ED25519, _raw(SignatureAlgorithm.ED25519)).verify(
            signature[:32] + larger, b"message"
        )


def test_what_is_no_point_verifies_nothing() -> None:
    no_point = (2).to_bytes(32, "little")
    with pytest.raises((KeyFormatError, InvalidSignature)):
        PROVIDER.verifier(SignatureAlgorithm.ED25519, no_point).verify(bytes(64), b"message")


def test_a_build_without_ml_dsa_carries_ed25519_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cryptography` against an older OpenSSL refuses ML-DSA when a key is made; no such build runs here."""

    def refuse(data: bytes) -> mldsa.MLDSA44PrivateKey:
        raise exceptions.UnsupportedAlgorithm("this OpenSSL has no ML-DSA")

    for table in ("_LOAD_PUBLIC", "_LOAD_PRIVATE"):
        loaders = dict(getattr(openssl, table))
        changed = {name: load if name is SignatureAlgorithm.ED25519 else refuse for name, load in loaders.items()}
        monkeypatch.setattr(openssl, table, MappingProxyType(changed))
    old = OpenSSLProvider()
    assert old.algorithms == {SignatureAlgorithm.ED25519}
    with pytest.raises(UnsupportedAlgorithm, match="openssl has no ml-dsa-65"):
        old.generate_seed(SignatureAlgorithm.ML_DSA_65)
    with pytest.raises(ProviderUnavailable, match="no ml-dsa-65"):
        old.signer(SignatureAlgorithm.ML_DSA_65, SEED)
    with pytest.raises(ProviderUnavailable, match="no ml-dsa-65"):
        old.verifier(SignatureAlgorithm.ML_DSA_65, bytes(1952))
    assert len(old.generate_seed(SignatureAlgorithm.ED25519)) == 32
