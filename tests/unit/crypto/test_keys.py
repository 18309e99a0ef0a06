from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from crypto import (
    ALGORITHMS,
    InvalidSignature,
    KeyFileError,
    KeyFormatError,
    PassphraseError,
    PrivateKey,
    PublicKey,
    SignatureAlgorithm,
    read_private_key,
    write_private_key,
)

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)
SEED = bytes(range(1, 33))


@EVERY_ALGORITHM
def test_a_generated_key_signs_what_its_public_key_verifies(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.generate(algorithm)
    signature = key.sign(b"message")
    key.public_key.verify(signature, b"message")
    with pytest.raises(InvalidSignature):
        key.public_key.verify(signature, b"Message")
    with pytest.raises(InvalidSignature):
        PrivateKey.generate(algorithm).public_key.verify(signature, b"message")


@EVERY_ALGORITHM
def test_every_changed_byte_of_a_signature_is_noticed(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.from_seed(algorithm, SEED)
    signature = key.sign(b"message")
    for position in (0, 31, 32, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[position] ^= 1
        with pytest.raises(InvalidSignature):
            key.public_key.verify(bytes(changed), b"message")


@EVERY_ALGORITHM
@pytest.mark.parametrize("change", [-64, -1, 1, 64])
def test_a_signature_of_another_length_is_refused(algorithm: SignatureAlgorithm, change: int) -> None:
    key = PrivateKey.from_seed(algorithm, SEED)
    signature = key.sign(b"message")
    with pytest.raises(InvalidSignature, match=f"has {len(signature)} bytes, not {len(signature) + change}"):
        key.public_key.verify((signature + bytes(64))[: len(signature) + change], b"message")


@EVERY_ALGORITHM
def test_a_seed_gives_one_key(algorithm: SignatureAlgorithm) -> None:
    first, second = (PrivateKey.from_seed(algorithm, SEED) for _ in range(2))
    assert first.seed == SEED
    assert first.algorithm is algorithm
    assert first.public_key == second.public_key
    assert first.keyid == second.keyid == first.public_key.keyid
    assert first.keyid != PrivateKey.from_seed(algorithm, bytes(32)).keyid
    second.public_key.verify(first.sign(b"message"), b"message")


def test_ml_dsa_signatures_are_hedged_and_ed25519_ones_are_not() -> None:
    lattice = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_44, SEED)
    curve = PrivateKey.from_seed(SignatureAlgorithm.ED25519, SEED)
    assert lattice.sign(b"message") != lattice.sign(b"message")
    assert curve.sign(b"message") == curve.sign(b"message")


@EVERY_ALGORITHM
@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_refused(algorithm: SignatureAlgorithm, length: int) -> None:
    with pytest.raises(KeyFormatError, match=f"has 32 bytes, not {length}"):
        PrivateKey.from_seed(algorithm, bytes(length))


@EVERY_ALGORITHM
@pytest.mark.parametrize("change", [-1, 1])
def test_a_public_key_of_another_length_is_refused(algorithm: SignatureAlgorithm, change: int) -> None:
    with pytest.raises(KeyFormatError, match="a public key of"):
        PublicKey.from_raw(algorithm, b"\1" * (ALGORITHMS[algorithm].public_key_bytes + change))


@EVERY_ALGORITHM
def test_public_keys_are_values(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.from_seed(algorithm, SEED).public_key
    made_anew = PublicKey(algorithm, key.raw)
    assert made_anew is not key
    assert made_anew == key
    assert {key: 1}[made_anew] == 1
    assert made_anew.keyid == key.keyid
    assert key != PrivateKey.from_seed(algorithm, bytes(32)).public_key
    for copied in (pickle.loads(pickle.dumps(key)), copy.copy(key), copy.deepcopy(key)):
        assert copied == key
        assert copied.keyid == key.keyid


def test_a_public_key_is_frozen() -> None:
    key = PrivateKey.from_seed(SignatureAlgorithm.ED25519, SEED).public_key
    with pytest.raises(AttributeError):
        key.raw = bytes(32)  # type: ignore[misc]


@EVERY_ALGORITHM
def test_the_seed_shows_nowhere(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.from_seed(algorithm, SEED)
    for shown in (repr(key), str(key), f"{key}", repr([key])):
        assert key.keyid in shown
        assert SEED.hex() not in shown
        assert repr(SEED)[2:-1] not in shown
    assert not hasattr(key, "__dict__")
    with pytest.raises(TypeError, match="write_private_key"):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)


@EVERY_ALGORITHM
@pytest.mark.parametrize("passphrase", [None, b"correct horse", "für Elise".encode(), b"x" * 1023])
def test_a_key_file_round_trips(tmp_path: Path, algorithm: SignatureAlgorithm, passphrase: bytes | None) -> None:
    key = PrivateKey.generate(algorithm)
    write_private_key(tmp_path / "key.pem", key, passphrase)
    read = read_private_key(tmp_path / "key.pem", passphrase)
    assert (read.algorithm, read.seed, read.keyid) == (key.algorithm, key.seed, key.keyid)


def test_a_key_file_is_not_overwritten_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    first, second = (PrivateKey.generate(SignatureAlgorithm.ED25519) for _ in range(2))
    write_private_key(path, first, None)
    with pytest.raises(KeyFileError, match="is there already"):
        write_private_key(path, second, None)
    assert read_private_key(path, None).keyid == first.keyid
    write_private_key(path, second, b"correct horse", force=True)
    assert read_private_key(path, b"correct horse").keyid == second.keyid


def test_nothing_is_written_for_a_passphrase_that_protects_nothing(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="empty"):
        write_private_key(tmp_path / "key.pem", PrivateKey.generate(SignatureAlgorithm.ED25519), b"")
    assert list(tmp_path.iterdir()) == []
