from __future__ import annotations

import subprocess
import sys

import pytest

from crypto import (
    KEM_ALGORITHMS,
    CiphertextError,
    InvalidSignature,
    KemAlgorithm,
    KeyFormatError,
    ProviderUnavailable,
    SignatureAlgorithm,
    UnsupportedAlgorithm,
)
from crypto.providers import oqs_library
from crypto.research import research_kem, research_kems, research_signature, research_signatures
from crypto.status import Status

ON_LIBOQS = pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine")


def test_nothing_of_it_is_for_the_server() -> None:
    server = {*map(str, KemAlgorithm), *map(str, SignatureAlgorithm)}
    assert server.isdisjoint({*research_kems(), *research_signatures()})
    for name in research_kems():
        with pytest.raises(UnsupportedAlgorithm):
            KemAlgorithm.named(name)
    for name in research_signatures():
        with pytest.raises(UnsupportedAlgorithm):
            SignatureAlgorithm.named(name)


def test_the_lists_are_exactly_these() -> None:
    assert " ".join(research_kems()) == (
        "ml-kem-512 hqc-1 hqc-3 hqc-5 frodokem-640-aes frodokem-640-shake frodokem-976-aes frodokem-976-shake "
        "frodokem-1344-aes frodokem-1344-shake bike-l1 bike-l3 bike-l5 classic-mceliece-348864f "
        "classic-mceliece-460896f classic-mceliece-6688128f classic-mceliece-6960119f classic-mceliece-8192128f"
    )
    assert " ".join(research_signatures()) == (
        "slh-dsa-sha2-128s slh-dsa-sha2-128f slh-dsa-sha2-192f slh-dsa-sha2-256f slh-dsa-shake-128f "
        "falcon-512 falcon-1024 falcon-padded-512 falcon-padded-1024 mayo-1 mayo-2 mayo-3 mayo-5"
    )


def test_what_is_final_is_a_fips() -> None:
    assert {info.standard for info in research_kems().values() if info.status is Status.FINAL} == {"FIPS 203"}
    assert {info.standard for info in research_signatures().values() if info.status is Status.FINAL} == {"FIPS 205"}
    assert {info.name for info in research_kems().values() if not info.ind_cca} == {"bike-l1", "bike-l3", "bike-l5"}
    assert KEM_ALGORITHMS[KemAlgorithm.ML_KEM_768].standard == research_kems()["ml-kem-512"].standard


@pytest.mark.parametrize("name", ["", "HQC-1", "kyber512", "ml-kem-768", "sntrup761", "hqc-1\0"])
def test_another_name_is_refused_before_liboqs_is_looked_for(name: str) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="for research"):
        research_kem(name)
    with pytest.raises(UnsupportedAlgorithm, match="for research"):
        research_signature(name)


def test_without_liboqs_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(oqs_library.INSTALL_PATH, "/nonexistent")
    oqs_library.load.cache_clear()
    for call in (lambda: research_kem("hqc-1"), lambda: research_signature("mayo-2")):
        with pytest.raises(ProviderUnavailable, match="liboqs is not there: pip install") as refused:
            call()
        assert len(str(refused.value).splitlines()) == 1


def test_listing_them_imports_and_prints_nothing_of_liboqs() -> None:
    code = (
        "import sys, crypto.research as research\n"
        "assert len(research.research_kems()) == 18 and len(research.research_signatures()) == 13\n"
        "assert 'oqs' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.oqs
@ON_LIBOQS
@pytest.mark.parametrize("name", research_kems())
def test_a_kem_works_and_refuses_other_lengths(name: str) -> None:
    info, kem = research_kems()[name], research_kem(name)
    assert (kem.name, kem.security_level) == (info.native_name, info.security_level)
    keys = kem.generate()
    ciphertext, shared_secret = kem.encapsulate(keys.public_key)
    assert kem.decapsulate(keys.secret_key, ciphertext) == shared_secret
    assert len(shared_secret) == info.shared_secret_bytes
    for raw in (b"", keys.public_key[:-1], keys.public_key + b"\0"):
        with pytest.raises(KeyFormatError, match=f"a public key of {kem.name} has {info.public_key_bytes} bytes"):
            kem.encapsulate(raw)
    for raw in (b"", keys.secret_key[:-1], keys.secret_key + b"\0"):
        with pytest.raises(KeyFormatError, match=f"a secret key of {kem.name} has {info.secret_key_bytes} bytes"):
            kem.decapsulate(raw, ciphertext)
    for raw in (b"", ciphertext[:-1], ciphertext + b"\0"):
        with pytest.raises(CiphertextError, match=f"a ciphertext of {kem.name} has {info.ciphertext_bytes} bytes"):
            kem.decapsulate(keys.secret_key, raw)


@pytest.mark.oqs
@ON_LIBOQS
@pytest.mark.parametrize("name", research_signatures())
def test_a_signature_works_and_refuses_what_was_changed(name: str) -> None:
    info, algorithm = research_signatures()[name], research_signature(name)
    assert (algorithm.name, algorithm.security_level) == (info.native_name, info.security_level)
    public_key, secret_key = algorithm.generate()
    signature = algorithm.sign(secret_key, b"a message")
    algorithm.verify(public_key, signature, b"a message")
    assert (len(signature) == info.signature_bytes) is not info.variable_length
    flipped = signature[:-1] + bytes([signature[-1] ^ 1])
    too_long = signature + bytes(info.signature_bytes - len(signature) + 1)
    for wrong in (b"", signature[:-1], flipped, too_long):
        with pytest.raises(InvalidSignature):
            algorithm.verify(public_key, wrong, b"a message")
    with pytest.raises(InvalidSignature):
        algorithm.verify(public_key, signature, b"a massage")
    for raw in (b"", public_key[:-1], public_key + b"\0"):
        with pytest.raises(KeyFormatError, match=f"a public key of {algorithm.name}"):
            algorithm.verify(raw, signature, b"a message")
    for raw in (b"", secret_key[:-1], secret_key + b"\0"):
        with pytest.raises(KeyFormatError, match=f"a secret key of {algorithm.name}"):
            algorithm.sign(raw, b"a message")


@pytest.mark.oqs
@ON_LIBOQS
def test_an_empty_and_a_long_message_are_signed() -> None:
    algorithm = research_signature("mayo-2")
    keys = algorithm.generate()
    for message in (b"", b"\0", bytes(100_000)):
        algorithm.verify(keys.public_key, algorithm.sign(keys.secret_key, message), message)
    assert repr(keys) == "KeyPair(4912, 24 bytes)"
