"""HPKE: our sealed bodies against RFC 9180, by its vectors, those of hpke-pq, and a receiver of the tests' own.

The chain: `tests.vectors.hpke` gives what RFC 9180's vectors say (AES-256-GCM among them) and what those of hpke-pq say
of KEM 0x647a; what it then opens of ours, any other HPKE opens.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives import hpke as native

from crypto import KemAlgorithm, KemProvider, SealingPrivateKey, SealingPublicKey, UnsealingError
from crypto.providers.openssl_kem import OpenSSLKemProvider
from tests.vectors.acvp import from_hex
from tests.vectors.hpke import Receiver
from tests.vectors.liboqs_encapsulation import NEEDS_OQS

FOLDER = Path(cryptography_vectors.__file__).parent / "HPKE"
X_WING, X25519 = 0x647A, 0x0020
HKDF_SHA256, SHAKE256 = 0x0001, 0x0011
AES_256_GCM, CHACHA = 0x0002, 0x0003
ENCAPSULATION = 1_120
INFO = b"secure-api sealed request v1\nPOST\napi.example.com\n/v1/clients\n?\ntype\nkeyid\nnonce"
SEED = bytes(range(32))


def _vectors(name: str, kem: int, kdf: int, mode: int = 0) -> list[dict[str, Any]]:
    wanted = {"mode": mode, "kem_id": kem, "kdf_id": kdf}
    return [vector for vector in json.loads((FOLDER / name).read_bytes()) if wanted.items() <= vector.items()]


def _receiver(vector: dict[str, Any]) -> Receiver:
    shared_secret, info = from_hex(vector, "shared_secret", "info")
    return Receiver(vector["kem_id"], vector["aead_id"], shared_secret, info, vector["kdf_id"])


def _assert_agrees(receiver: Receiver, vector: dict[str, Any]) -> None:
    key, base_nonce, exporter_secret = from_hex(vector, "key", "base_nonce", "exporter_secret")
    assert (receiver.key, receiver.base_nonce, receiver.exporter_secret) == (key, base_nonce, exporter_secret)
    for sequence, encryption in enumerate(vector["encryptions"]):
        ciphertext, aad, nonce, plaintext = from_hex(encryption, "ct", "aad", "nonce", "pt")
        assert receiver.nonce(sequence) == nonce
        assert receiver.open(ciphertext, aad, sequence) == plaintext
    for export in vector["exports"]:
        context, value = from_hex(export, "exporter_context", "exported_value")
        assert receiver.export(context, export["L"]) == value


@pytest.fixture(scope="module", params=["openssl", pytest.param("oqs", marks=NEEDS_OQS)])
def provider(request: pytest.FixtureRequest) -> KemProvider:
    if request.param == "openssl":
        return OpenSSLKemProvider()
    from crypto.providers.oqs_kem import OqsKemProvider

    return OqsKemProvider()


def test_the_receiver_is_that_of_rfc_9180() -> None:
    vectors = [vector for vector in _vectors("test-vectors.json", X25519, HKDF_SHA256) if vector["aead_id"] != 0xFFFF]
    for vector in vectors:
        receiver = _receiver(vector)
        schedule, secret = from_hex(vector, "key_schedule_context", "secret")
        assert (receiver.schedule, receiver.secret) == (schedule, secret)
        _assert_agrees(receiver, vector)
        assert len(vector["encryptions"]) == 257, "one carry into the nonce's next byte"
    assert sorted(vector["aead_id"] for vector in vectors) == [1, AES_256_GCM, CHACHA]


def test_the_receiver_and_our_kem_are_those_of_hpke_pq(provider: KemProvider) -> None:
    (vector,) = _vectors("hpke-pq-test-vectors.json", X_WING, HKDF_SHA256)
    seed, encapsulation, shared_secret = from_hex(vector, "skRm", "enc", "shared_secret")
    assert provider.decapsulator(KemAlgorithm.X_WING, seed).decapsulate(encapsulation) == shared_secret
    receiver = _receiver(vector)
    assert receiver.suite.hex() == vector["suite_id"]
    _assert_agrees(receiver, vector)
    assert (len(vector["encryptions"]), len(vector["exports"])) == (10, 5)


@pytest.mark.parametrize("kdf", [HKDF_SHA256, SHAKE256], ids=["hkdf-sha256", "shake256"])
def test_our_private_key_opens_the_messages_of_hpke_pq(kdf: int) -> None:
    """The vectors have associated data, for which `cryptography` has a private function only; its AEAD is ChaCha20.

    So this checks our seed's expansion and the KEM below `SealingPrivateKey`; `Suite.decrypt` alone would refuse them.
    """
    (vector,) = _vectors("hpke-pq-test-vectors.json", X_WING, kdf)
    seed, public_key, encapsulation, info = from_hex(vector, "skRm", "pkRm", "enc", "info")
    ciphertext, aad, plaintext = from_hex(vector["encryptions"][0], "ct", "aad", "pt")
    key = SealingPrivateKey(seed)
    assert key.public_key == public_key
    assert vector["aead_id"] == CHACHA
    kdfs = {HKDF_SHA256: native.KDF.HKDF_SHA256, SHAKE256: native.KDF.SHAKE256}
    suite = native.Suite(native.KEM.MLKEM768_X25519, kdfs[kdf], native.AEAD.CHACHA20_POLY1305)
    sealed = encapsulation + ciphertext
    opened = openssl.hpke._decrypt_with_aad(suite, sealed, key._key, info, aad)
    assert opened == plaintext
    with pytest.raises(InvalidTag):
        suite.decrypt(sealed, key._key, info)
    with pytest.raises(UnsealingError):
        key.open(sealed, info)


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00" * 100_000], ids=["empty", "short", "long"])
def test_a_stranger_opens_what_we_seal(provider: KemProvider, body: bytes) -> None:
    holder = provider.decapsulator(KemAlgorithm.X_WING, SEED)
    sealed = SealingPublicKey(holder.public_key).seal(body, INFO)
    assert len(sealed) == ENCAPSULATION + len(body) + 16
    encapsulation, ciphertext = sealed[:ENCAPSULATION], sealed[ENCAPSULATION:]
    receiver = Receiver(X_WING, AES_256_GCM, holder.decapsulate(encapsulation), INFO)
    assert receiver.open(ciphertext) == body
    others = [
        replace(receiver, aead=CHACHA),
        replace(receiver, aead=1),
        replace(receiver, kem=X25519),
        replace(receiver, info=INFO + b"\n"),
        replace(receiver, info=b""),
        replace(receiver, shared_secret=bytes(32)),
    ]
    for other in others:
        with pytest.raises(InvalidTag):
            other.open(ciphertext)
    for aad, sequence in ((INFO, 0), (b"", 1)):
        with pytest.raises(InvalidTag):
            receiver.open(ciphertext, aad, sequence)


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00" * 100_000], ids=["empty", "short", "long"])
def test_we_open_what_a_stranger_seals(provider: KemProvider, body: bytes) -> None:
    key = SealingPrivateKey(SEED)
    encapsulation, shared_secret = provider.encapsulator(KemAlgorithm.X_WING, key.public_key).encapsulate()
    sender = Receiver(X_WING, AES_256_GCM, shared_secret, INFO)  # base mode has one key schedule for both ends
    sealed = encapsulation + sender.cipher().encrypt(sender.base_nonce, body, b"")
    assert key.open(sealed, INFO) == body
    for wrong in (
        encapsulation + sender.cipher().encrypt(sender.nonce(1), body, b""),
        encapsulation + sender.cipher().encrypt(sender.base_nonce, body, b"\0"),
    ):
        with pytest.raises(UnsealingError):
            key.open(wrong, INFO)
