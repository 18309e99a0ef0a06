"""liboqs and OpenSSL give the same verdicts. Needs the native liboqs."""

from __future__ import annotations

import pytest

from crypto import InvalidSignature, KeyFormatError, PrivateKey, ProviderUnavailable, SignatureAlgorithm
from crypto.providers import FastestProvider, OpenSSLProvider, oqs_library
from crypto.signatures import ALGORITHMS

pytestmark = [
    pytest.mark.oqs,
    pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine"),
]

ML_DSA = [algorithm for algorithm in SignatureAlgorithm if ALGORITHMS[algorithm].post_quantum]


@pytest.fixture(scope="module")
def oqs() -> FastestProvider:
    from crypto.providers.oqs import OqsProvider

    return FastestProvider([OqsProvider(), OpenSSLProvider()])


@pytest.mark.parametrize("algorithm", ML_DSA)
def test_what_openssl_signs_liboqs_accepts(oqs: FastestProvider, algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.generate(algorithm)
    assert oqs.chosen(algorithm).name == oqs.name == "oqs"
    verifier = oqs.verifier(key.algorithm, key.public_key.raw)
    for message in (b"", b"x", b"m" * 100_000):
        verifier.verify(key.sign(message), message)
        verifier.verify(oqs.signer(algorithm, key.seed).sign(message), message)


@pytest.mark.parametrize("algorithm", ML_DSA)
def test_both_refuse_alike(oqs: FastestProvider, algorithm: SignatureAlgorithm) -> None:
    key, stranger = PrivateKey.generate(algorithm), PrivateKey.generate(algorithm)
    message = b"a signature base"
    signature = key.sign(message)
    flipped = [
        signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        for place in (0, 31, 32, len(signature) // 2, len(signature) - 1)
    ]
    spoilt = [*flipped, signature[:-1], signature + b"\0", b"", bytes(len(signature)), stranger.sign(message)]
    for provider in (oqs, OpenSSLProvider()):
        verifier = provider.verifier(algorithm, key.public_key.raw)
        verifier.verify(signature, message)
        for wrong in spoilt:
            with pytest.raises(InvalidSignature):
                verifier.verify(wrong, message)
        with pytest.raises(InvalidSignature):
            verifier.verify(signature, message + b"\0")


def test_a_key_of_another_length_never_reaches_liboqs(oqs: FastestProvider) -> None:
    public = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65).public_key
    for raw in (public.raw[:-1], public.raw + b"\0", b""):
        with pytest.raises(KeyFormatError):
            oqs.verifier(public.algorithm, raw)


def test_ed25519_stays_with_openssl(oqs: FastestProvider) -> None:
    key = PrivateKey.generate(SignatureAlgorithm.ED25519)
    assert oqs.chosen(SignatureAlgorithm.ED25519).name == "openssl"
    oqs.verifier(key.algorithm, key.public_key.raw).verify(key.sign(b"x"), b"x")
    assert len(oqs.generate_seed(SignatureAlgorithm.ML_DSA_87)) == 32


def test_importing_it_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    oqs_library.load()
    assert capfd.readouterr().out == ""


def test_another_folder_is_not_searched_when_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(oqs_library.INSTALL_PATH, "/nonexistent")
    assert oqs_library.find_library() is None
    oqs_library.load.cache_clear()
    with pytest.raises(ProviderUnavailable, match="secure-api\\[oqs\\]"):
        oqs_library.load()
