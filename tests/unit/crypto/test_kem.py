from __future__ import annotations

import copy
import dataclasses
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from crypto import (
    KEM_ALGORITHMS,
    CiphertextError,
    Encapsulation,
    KemAlgorithm,
    KemPrivateKey,
    KemPublicKey,
    KeyFormatError,
    ProviderUnavailable,
    UnsupportedAlgorithm,
    default_kem_provider,
)
from crypto.modulus_check import refuse_unreduced
from crypto.providers import oqs_library
from crypto.providers.kem_selection import select_kem_provider

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", KemAlgorithm, ids=str)
# The u-coordinates of small order (RFC 7748 §6.1: their multiples by a clamped scalar are zero), and two encodings of
# them that are not reduced modulo 2^255 - 19.
SMALL_ORDER = [
    *(value.to_bytes(32, "little") for value in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


def _with_coefficient(public_key: bytes, place: int, value: int) -> bytes:
    """The key with another 12-bit coefficient at `place`."""
    number = int.from_bytes(public_key, "little")
    number = number & ~(0xFFF << 12 * place) | value << 12 * place
    return number.to_bytes(len(public_key), "little")


def test_the_allow_list_is_exactly_this() -> None:
    assert [str(algorithm) for algorithm in KemAlgorithm] == ["ml-kem-768", "ml-kem-1024", "x-wing"]
    assert KEM_ALGORITHMS.keys() == set(KemAlgorithm) == default_kem_provider().algorithms


def test_facts_are_those_of_the_standards() -> None:
    facts = {
        str(info.algorithm): (info.rank, info.security_level, info.standard, str(info.status), info.hybrid)
        for info in KEM_ALGORITHMS.values()
    }
    assert facts == {
        "ml-kem-768": (3, 3, "FIPS 203", "final", False),
        "ml-kem-1024": (4, 5, "FIPS 203", "final", False),
        "x-wing": (3, 1, "draft-connolly-cfrg-xwing-kem", "draft", True),
    }


@pytest.mark.parametrize("name", ["", "ML-KEM-768", "ml-kem-512", "mlkem768", "xwing", "hqc-1", "x25519"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="one of ml-kem-768, ml-kem-1024, x-wing"):
        KemAlgorithm.named(name)
    assert [KemAlgorithm.named(algorithm.value) for algorithm in KemAlgorithm] == list(KemAlgorithm)


def test_nobody_changes_the_registry() -> None:
    with pytest.raises(TypeError):
        KEM_ALGORITHMS[KemAlgorithm.X_WING] = KEM_ALGORITHMS[KemAlgorithm.ML_KEM_768]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        KEM_ALGORITHMS[KemAlgorithm.X_WING].seed_bytes = 0  # type: ignore[misc]


@EVERY_ALGORITHM
def test_both_sides_know_one_secret_and_its_sizes_are_the_registered_ones(algorithm: KemAlgorithm) -> None:
    info, key = KEM_ALGORITHMS[algorithm], KemPrivateKey.generate(algorithm)
    ciphertext, shared_secret = key.public_key.encapsulate()
    assert key.decapsulate(ciphertext) == shared_secret
    assert (len(key.seed), len(key.public_key.raw)) == (info.seed_bytes, info.public_key_bytes)
    assert (len(ciphertext), len(shared_secret)) == (info.ciphertext_bytes, info.shared_secret_bytes)
    assert key.public_key.encapsulate().shared_secret != shared_secret


@EVERY_ALGORITHM
def test_a_key_is_its_seed(algorithm: KemAlgorithm) -> None:
    key = KemPrivateKey.generate(algorithm)
    again = KemPrivateKey.from_seed(algorithm, key.seed)
    assert again.public_key == key.public_key
    assert again.algorithm is key.public_key.algorithm is algorithm
    assert KemPrivateKey.generate(algorithm).public_key != key.public_key
    ciphertext, shared_secret = key.public_key.encapsulate()
    assert again.decapsulate(ciphertext) == shared_secret


@EVERY_ALGORITHM
def test_a_changed_ciphertext_and_a_strange_key_give_another_secret(algorithm: KemAlgorithm) -> None:
    key = KemPrivateKey.generate(algorithm)
    ciphertext, shared_secret = key.public_key.encapsulate()
    secrets = {shared_secret, KemPrivateKey.generate(algorithm).decapsulate(ciphertext)}
    places = (0, 500, len(ciphertext) - 33, len(ciphertext) - 32, len(ciphertext) - 1)
    for place in places:
        changed = ciphertext[:place] + bytes([ciphertext[place] ^ 1]) + ciphertext[place + 1 :]
        assert key.decapsulate(changed) == key.decapsulate(changed)
        secrets.add(key.decapsulate(changed))
    assert len(secrets) == 2 + len(places)


@EVERY_ALGORITHM
def test_other_lengths_are_refused(algorithm: KemAlgorithm) -> None:
    key = KemPrivateKey.generate(algorithm)
    public, (ciphertext, _) = key.public_key, key.public_key.encapsulate()
    for raw in (b"", public.raw[:-1], public.raw + b"\0", public.raw * 2):
        with pytest.raises(KeyFormatError, match=f"a public key of {algorithm} has {len(public.raw)} bytes"):
            KemPublicKey(algorithm, raw)
    for seed in (b"", key.seed[:-1], key.seed + b"\0"):
        with pytest.raises(KeyFormatError, match=f"a seed of {algorithm} has {len(key.seed)} bytes"):
            KemPrivateKey.from_seed(algorithm, seed)
    for wrong in (b"", ciphertext[:-1], ciphertext + b"\0", ciphertext[:32]):
        with pytest.raises(CiphertextError, match=f"a ciphertext of {algorithm} has {len(ciphertext)} bytes"):
            key.decapsulate(wrong)


@EVERY_ALGORITHM
def test_a_public_key_that_is_not_reduced_is_refused(algorithm: KemAlgorithm) -> None:
    raw = KemPrivateKey.generate(algorithm).public_key.raw
    coefficients = 256 * KEM_ALGORITHMS[algorithm].rank
    for place in (0, 1, 255, 256, coefficients - 2, coefficients - 1):
        assert KemPublicKey(algorithm, _with_coefficient(raw, place, 3328)).encapsulate()
        for value in (3329, 3330, 4095):
            with pytest.raises(KeyFormatError, match="not reduced modulo 3329"):
                KemPublicKey(algorithm, _with_coefficient(raw, place, value))
    if algorithm is not KemAlgorithm.X_WING:
        assert KemPublicKey(algorithm, raw[:-32] + b"\xff" * 32).encapsulate()


def test_the_modulus_check_agrees_with_decoding_every_coefficient() -> None:
    chosen = random.Random(20240813)
    for _ in range(300):
        coefficients = [chosen.choice((0, 1, 3327, 3328, chosen.randrange(3329))) for _ in range(512)]
        if bad := chosen.random() < 0.5:
            coefficients[chosen.randrange(512)] = chosen.randrange(3329, 4096)
        raw = sum(value << 12 * place for place, value in enumerate(coefficients)).to_bytes(768, "little")
        if bad:
            with pytest.raises(KeyFormatError):
                refuse_unreduced(raw + b"\xff" * 32, 2)
        else:
            refuse_unreduced(raw + b"\xff" * 32, 2)


@pytest.mark.parametrize("point", SMALL_ORDER, ids=bytes.hex)
def test_x_wing_refuses_points_of_small_order(point: bytes) -> None:
    key = KemPrivateKey.generate(KemAlgorithm.X_WING)
    public = KemPublicKey(KemAlgorithm.X_WING, key.public_key.raw[:-32] + point)
    with pytest.raises(KeyFormatError, match="small order"):
        public.encapsulate()
    with pytest.raises(CiphertextError, match="small order"):
        key.decapsulate(key.public_key.encapsulate().ciphertext[:-32] + point)


def test_x_wing_opens_what_the_hpke_of_cryptography_sealed() -> None:
    """The HPKE of `cryptography` has an X-Wing of its own, in Rust: RFC 9180 §5.1 over our secret opens its message."""
    key = KemPrivateKey.generate(KemAlgorithm.X_WING)
    raw = key.public_key.raw
    native = hpke.MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(raw[:-32]), x25519.X25519PublicKey.from_public_bytes(raw[-32:])
    )
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    sealed = suite.encrypt(b"a record", native, info=b"purpose")
    shared_secret = key.decapsulate(sealed[:1120])

    suite_id = b"HPKE" + bytes.fromhex("647a00010002")

    def extract(salt: bytes, label: bytes, material: bytes) -> bytes:
        return HKDF.extract(SHA256(), salt, b"HPKE-v1" + suite_id + label + material)

    def expand(secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
        info = length.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + context
        return HKDFExpand(SHA256(), length, info).derive(secret)

    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", b"purpose")
    secret = extract(shared_secret, b"secret", b"")
    opener = AESGCM(expand(secret, b"key", context, 32))
    assert opener.decrypt(expand(secret, b"base_nonce", context, 12), sealed[1120:], b"") == b"a record"


def test_nothing_shows_the_seed_or_the_secret() -> None:
    key = KemPrivateKey.generate(KemAlgorithm.X_WING)
    encapsulation = key.public_key.encapsulate()
    assert repr(key) == "KemPrivateKey(x-wing)"
    assert repr(encapsulation) == str(encapsulation) == "Encapsulation(1120 bytes)"
    assert "raw" not in repr(key.public_key)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(key)


def test_public_keys_are_values() -> None:
    key = KemPrivateKey.generate(KemAlgorithm.ML_KEM_768).public_key
    twin = pickle.loads(pickle.dumps(key))
    assert twin == key == KemPublicKey(key.algorithm, key.raw)
    assert {twin: "found"}[key] == "found"
    ciphertext, shared_secret = Encapsulation(*twin.encapsulate())
    assert (len(ciphertext), len(shared_secret)) == (1088, 32)


def test_without_liboqs_nothing_of_it_is_imported_or_printed() -> None:
    code = (
        "import sys, crypto; from crypto.providers.kem_selection import select_kem_provider\n"
        "assert select_kem_provider('auto').name == 'openssl'\n"
        "crypto.KemPrivateKey.generate(crypto.KemAlgorithm.X_WING)\n"
        "assert 'oqs' not in sys.modules"
    )
    environment = {oqs_library.INSTALL_PATH: "/nonexistent", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture
def _chosen_again_afterwards() -> Iterator[None]:
    yield
    select_kem_provider("openssl")


@pytest.mark.usefixtures("_chosen_again_afterwards")
def test_a_provider_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(oqs_library.INSTALL_PATH, "/nonexistent")
    oqs_library.load.cache_clear()
    with pytest.raises(ProviderUnavailable, match=r"liboqs is not there: pip install"):
        select_kem_provider("oqs")
    with pytest.raises(ProviderUnavailable, match="one of auto, openssl, oqs"):
        select_kem_provider("liboqs")
    assert select_kem_provider("auto").name == default_kem_provider().name == "openssl"
