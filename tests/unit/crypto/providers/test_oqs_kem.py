"""liboqs and OpenSSL give the same keys and secrets, and refuse the same bytes. Needs the native liboqs."""

from __future__ import annotations

import secrets

import pytest

from crypto import KEM_ALGORITHMS, CiphertextError, KemAlgorithm, KemProvider, KeyFormatError, ProviderUnavailable
from crypto.providers import oqs_library
from crypto.providers.openssl_kem import OpenSSLKemProvider

pytestmark = [
    pytest.mark.oqs,
    pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine"),
]

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", KemAlgorithm, ids=str)


@pytest.fixture(scope="module")
def oqs() -> KemProvider:
    from crypto.providers.oqs_kem import OqsKemProvider

    return OqsKemProvider()


@pytest.fixture(scope="module")
def openssl() -> KemProvider:
    return OpenSSLKemProvider()


def _seed(algorithm: KemAlgorithm) -> bytes:
    return secrets.token_bytes(KEM_ALGORITHMS[algorithm].seed_bytes)


def test_it_carries_every_algorithm(oqs: KemProvider) -> None:
    assert oqs.algorithms == set(KemAlgorithm)
    assert oqs.name == "oqs"


@EVERY_ALGORITHM
def test_one_seed_gives_one_public_key(oqs: KemProvider, openssl: KemProvider, algorithm: KemAlgorithm) -> None:
    for seed in (_seed(algorithm), bytes(KEM_ALGORITHMS[algorithm].seed_bytes)):
        assert oqs.decapsulator(algorithm, seed).public_key == openssl.decapsulator(algorithm, seed).public_key


@EVERY_ALGORITHM
@pytest.mark.parametrize("direction", ["to liboqs", "to openssl"])
def test_what_one_encapsulates_both_decapsulate(
    oqs: KemProvider, openssl: KemProvider, algorithm: KemAlgorithm, direction: str
) -> None:
    seed = _seed(algorithm)
    holders = [provider.decapsulator(algorithm, seed) for provider in (oqs, openssl)]
    sender = openssl if direction == "to liboqs" else oqs
    for _ in range(20):
        ciphertext, shared_secret = sender.encapsulator(algorithm, holders[0].public_key).encapsulate()
        assert [holder.decapsulate(ciphertext) for holder in holders] == [shared_secret] * 2


@EVERY_ALGORITHM
def test_a_changed_ciphertext_gives_both_the_same_other_secret(
    oqs: KemProvider, openssl: KemProvider, algorithm: KemAlgorithm
) -> None:
    """Implicit rejection (FIPS 203 §6.3) is computed from the seed, so it is the same everywhere."""
    seed = _seed(algorithm)
    mine, other = oqs.decapsulator(algorithm, seed), openssl.decapsulator(algorithm, seed)
    ciphertext, shared_secret = oqs.encapsulator(algorithm, mine.public_key).encapsulate()
    for place in (0, len(ciphertext) // 2, len(ciphertext) - 1):
        changed = ciphertext[:place] + bytes([ciphertext[place] ^ 0x10]) + ciphertext[place + 1 :]
        assert mine.decapsulate(changed) == other.decapsulate(changed) != shared_secret


@EVERY_ALGORITHM
def test_both_refuse_alike(oqs: KemProvider, openssl: KemProvider, algorithm: KemAlgorithm) -> None:
    seed = _seed(algorithm)
    public_key = oqs.decapsulator(algorithm, seed).public_key
    ciphertext = oqs.encapsulator(algorithm, public_key).encapsulate().ciphertext
    unreduced = b"\xff\xff\xff" + public_key[3:]
    for provider in (oqs, openssl):
        for raw in (b"", public_key[:-1], public_key + b"\0", unreduced):
            with pytest.raises(KeyFormatError, match="public key"):
                provider.encapsulator(algorithm, raw)
        for wrong_seed in (b"", seed[:-1], seed + b"\0"):
            with pytest.raises(KeyFormatError, match="seed"):
                provider.decapsulator(algorithm, wrong_seed)
        for wrong in (b"", ciphertext[:-1], ciphertext + b"\0"):
            with pytest.raises(CiphertextError, match="ciphertext"):
                provider.decapsulator(algorithm, seed).decapsulate(wrong)


def test_a_wrong_length_never_reaches_liboqs() -> None:
    from crypto.providers.oqs_native_kem import NativeKem

    kem = NativeKem("ML-KEM-768")
    public_key, secret_key = kem.generate()
    ciphertext, shared_secret = kem.encapsulate(public_key)
    assert kem.decapsulate(secret_key, ciphertext) == shared_secret
    for raw in (b"", public_key[:-1], public_key + b"\0"):
        with pytest.raises(KeyFormatError, match="public key of ML-KEM-768"):
            kem.encapsulate(raw)
    for raw in (b"", secret_key[:-1], secret_key + b"\0"):
        with pytest.raises(KeyFormatError, match="secret key of ML-KEM-768"):
            kem.decapsulate(raw, ciphertext)
    for raw in (b"", ciphertext[:-1], ciphertext + b"\0"):
        with pytest.raises(CiphertextError):
            kem.decapsulate(secret_key, raw)
    with pytest.raises(KeyFormatError, match="seed of ML-KEM-768 has 64 bytes, not 63"):
        kem.expand(bytes(63))


def test_liboqs_itself_refuses_a_key_that_is_not_reduced() -> None:
    from crypto.providers.oqs_native_kem import NativeKem

    kem = NativeKem("ML-KEM-1024")
    with pytest.raises(KeyFormatError, match="liboqs refuses the public key"):
        kem.encapsulate(b"\xff" * 1568)
    with pytest.raises(ProviderUnavailable, match="has no ML-KEM-2048"):
        NativeKem("ML-KEM-2048")


def test_it_can_be_chosen() -> None:
    from crypto.providers.kem_selection import default_kem_provider, select_kem_provider

    try:
        assert select_kem_provider("auto").name == "oqs"
        assert select_kem_provider("oqs") is default_kem_provider()
    finally:
        select_kem_provider("openssl")
