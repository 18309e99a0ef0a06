"""The forgeries here are the reason why these keys are refused: the native library believes them."""

from __future__ import annotations

import contextlib
import hashlib
from typing import NamedTuple

import pytest
from cryptography.exceptions import InvalidSignature

from crypto import ALGORITHMS, KeyFormatError, PrivateKey, PublicKey, SignatureAlgorithm
from crypto.jwk import to_jwk
from crypto.pem import encode_public
from crypto.providers.openssl import native_public_key
from crypto.weak_keys import refuse_weak_key

P = 2**255 - 19
SIGN = 1 << 255
D = -121665 * pow(121666, -1, P) % P


class Lattice(NamedTuple):
    """What FIPS 204 table 1 and 2 say of a parameter set, as far as a forgery needs it."""

    challenge_bytes: int
    rows: int
    columns: int
    gamma1_bits: int
    high_bits: int
    omega: int


LATTICES = {
    SignatureAlgorithm.ML_DSA_44: Lattice(32, 4, 4, 17, 6, 80),
    SignatureAlgorithm.ML_DSA_65: Lattice(48, 6, 5, 19, 4, 55),
    SignatureAlgorithm.ML_DSA_87: Lattice(64, 8, 7, 19, 4, 75),
}
EVERY_LATTICE = pytest.mark.parametrize("algorithm", LATTICES, ids=str)


def _forge_lattice(algorithm: SignatureAlgorithm, raw: bytes, message: bytes) -> bytes:
    """A signature with the response z = 0 and no hints: right if A z - c t1 2^d is zero (FIPS 204 algorithm 8)."""
    lattice = LATTICES[algorithm]
    representative = hashlib.shake_256(hashlib.shake_256(raw).digest(64) + b"\0\0" + message).digest(64)
    commitment = bytes(32 * lattice.rows * lattice.high_bits)
    challenge = hashlib.shake_256(representative + commitment).digest(lattice.challenge_bytes)
    coefficient_bits = lattice.gamma1_bits + 1
    count = 256 * lattice.columns
    response = sum(1 << (coefficient_bits * index + lattice.gamma1_bits) for index in range(count))
    packed = response.to_bytes(count * coefficient_bits // 8, "little")
    return challenge + packed + bytes(lattice.omega + lattice.rows)


def _small_order() -> list[int]:
    """Every encoding of a point of small order: y, also written above p, with both signs."""
    # y = 0 has order 4, 1 and -1 order 1 and 2; a point of order 8 doubles to y = 0, where d y^4 + 2 y^2 - 1 = 0.
    root = pow(1 + D, (P + 3) // 8, P)
    if root * root % P != (1 + D) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    squares = [(-1 + sign * root) * pow(D, -1, P) % P for sign in (1, -1)]
    roots = []
    for square in squares:
        candidate = pow(square, (P + 3) // 8, P)
        for twisted in (candidate, candidate * pow(2, (P - 1) // 4, P) % P):
            if twisted * twisted % P == square:
                roots += [twisted, P - twisted]
    ys = {0, 1, P - 1, P, P + 1, *roots}
    return sorted(y | sign for y in ys for sign in (0, SIGN))


SMALL_ORDER = _small_order()


def test_there_are_fourteen_encodings_of_small_order() -> None:
    assert len(SMALL_ORDER) == 14


@pytest.mark.parametrize("encoding", SMALL_ORDER, ids=lambda encoding: f"{encoding:064x}"[:12])
def test_a_point_of_small_order_is_no_key(encoding: int) -> None:
    raw = encoding.to_bytes(32, "little")
    for make in (
        lambda: refuse_weak_key(SignatureAlgorithm.ED25519, raw),
        lambda: PublicKey(SignatureAlgorithm.ED25519, raw),
        lambda: PublicKey.from_raw(SignatureAlgorithm.ED25519, raw),
        lambda: PublicKey.from_jwk(to_jwk(SignatureAlgorithm.ED25519, raw)),
    ):
        with pytest.raises(KeyFormatError):
            make()


@pytest.mark.parametrize("encoding", SMALL_ORDER, ids=lambda encoding: f"{encoding:064x}"[:12])
def test_under_a_point_of_small_order_one_signature_fits_many_messages(encoding: int) -> None:
    key = native_public_key(SignatureAlgorithm.ED25519, encoding.to_bytes(32, "little"))
    forged = (1).to_bytes(32, "little") + bytes(32)
    believed = 0
    for number in range(400):
        with contextlib.suppress(InvalidSignature):
            key.verify(forged, b"message %d" % number)
            believed += 1
    assert believed > 10


def test_under_the_neutral_point_one_signature_fits_every_message() -> None:
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)
    for message in (b"", b"one", b"two"):
        native_public_key(SignatureAlgorithm.ED25519, neutral).verify(forged, message)
    with pytest.raises(KeyFormatError, match="anybody could sign"):
        PublicKey.from_pem(encode_public(SignatureAlgorithm.ED25519, neutral))


@EVERY_LATTICE
@pytest.mark.parametrize("rho", [bytes(32), b"\xa5" * 32], ids=["zeros", "rho"])
def test_under_an_empty_lattice_key_anybody_signs(algorithm: SignatureAlgorithm, rho: bytes) -> None:
    raw = rho.ljust(ALGORITHMS[algorithm].public_key_bytes, b"\0")
    forged = _forge_lattice(algorithm, raw, b"pay me")
    assert len(forged) == ALGORITHMS[algorithm].signature_bytes
    native_public_key(algorithm, raw).verify(forged, b"pay me")
    with pytest.raises(KeyFormatError, match="anybody could sign"):
        PublicKey.from_raw(algorithm, raw)
    with pytest.raises(KeyFormatError, match="anybody could sign"):
        PublicKey.from_jwk(to_jwk(algorithm, raw))
    with pytest.raises(KeyFormatError, match="anybody could sign"):
        PublicKey.from_pem(encode_public(algorithm, raw))


@pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)
def test_real_keys_are_not_weak(algorithm: SignatureAlgorithm) -> None:
    for number in range(20):
        refuse_weak_key(algorithm, PrivateKey.from_seed(algorithm, bytes([number] * 32)).public_key.raw)
