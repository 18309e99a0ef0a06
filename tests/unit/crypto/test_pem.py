from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from textwrap import wrap

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from crypto import KeyFormatError, PassphraseError, PrivateKey, PublicKey, SignatureAlgorithm, UnsupportedAlgorithm

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)
PASSPHRASE = b"correct horse"
KEY = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, bytes(range(32)))
FOREIGN: dict[str, Callable[[], PrivateKeyTypes]] = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "Ed448": ed448.Ed448PrivateKey.generate,
    "X25519": x25519.X25519PrivateKey.generate,
}


def _pem(kind: str, der: bytes) -> bytes:
    return "\n".join(
        [f"-----BEGIN {kind}-----", *wrap(b64encode(der).decode(), 64), f"-----END {kind}-----", ""]
    ).encode()


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + content


def _ml_dsa_65(private_key: bytes) -> bytes:
    """A PKCS#8 PEM of ML-DSA-65 (RFC 9881 §6) with this content."""
    oid = bytes.fromhex("0609608648016503040312")
    return _pem("PRIVATE KEY", _der(0x30, _der(0x02, b"\0"), _der(0x30, oid), _der(0x04, private_key)))


@EVERY_ALGORITHM
def test_cryptography_reads_our_public_pem_and_we_theirs(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.generate(algorithm).public_key
    theirs = serialization.load_pem_public_key(key.pem())
    assert theirs.public_bytes_raw() == key.raw  # type: ignore[union-attr]
    written = theirs.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert written == key.pem()
    assert PublicKey.from_pem(written) == key


@EVERY_ALGORITHM
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_cryptography_reads_our_private_pem_and_we_theirs(
    algorithm: SignatureAlgorithm, passphrase: bytes | None
) -> None:
    key = PrivateKey.generate(algorithm)
    theirs = serialization.load_pem_private_key(key.pem(passphrase), passphrase)
    assert theirs.private_bytes_raw() == key.seed  # type: ignore[union-attr]
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    written = theirs.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    assert PrivateKey.from_pem(written, passphrase).keyid == key.keyid


def test_the_two_kinds_of_private_pem_say_what_they_are() -> None:
    assert KEY.pem(None).startswith(b"-----BEGIN PRIVATE KEY-----\n")
    encrypted = KEY.pem(PASSPHRASE)
    assert encrypted.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert encrypted != KEY.pem(PASSPHRASE), "every file has a salt of its own"


@pytest.mark.parametrize(
    ("written", "read", "message"),
    [
        (PASSPHRASE, None, "a passphrase is needed"),
        (PASSPHRASE, b"", "a passphrase is needed"),
        (PASSPHRASE, b"Correct horse", "wrong, or the key file is damaged"),
        (PASSPHRASE, b"x" * 1024, "wrong, or the key file is damaged"),
        (None, PASSPHRASE, "no passphrase is wanted"),
        (None, b"", "no passphrase is wanted"),
    ],
)
@EVERY_ALGORITHM
def test_a_passphrase_is_missing_wrong_or_unwanted(
    algorithm: SignatureAlgorithm, written: bytes | None, read: bytes | None, message: str
) -> None:
    pem = PrivateKey.generate(algorithm).pem(written)
    with pytest.raises(PassphraseError, match=message):
        PrivateKey.from_pem(pem, read)


@pytest.mark.parametrize(("passphrase", "message"), [(b"", "empty"), (b"x" * 1024, "at most 1023 bytes")])
def test_a_passphrase_that_cannot_protect_is_refused(passphrase: bytes, message: str) -> None:
    with pytest.raises(PassphraseError, match=message):
        KEY.pem(passphrase)


def test_a_damaged_encrypted_file_is_noticed() -> None:
    lines = KEY.pem(PASSPHRASE).splitlines(keepends=True)
    lines[-2] = b"AAAA" + lines[-2][4:]
    with pytest.raises(PassphraseError, match="damaged"):
        PrivateKey.from_pem(b"".join(lines), PASSPHRASE)


def test_the_seed_form_written_by_hand_is_read() -> None:
    pem = _ml_dsa_65(_der(0x80, KEY.seed))
    assert pem == KEY.pem(None)
    assert PrivateKey.from_pem(pem, None).keyid == KEY.keyid


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("expanded", _der(0x04, bytes(4032))),
        ("both", _der(0x30, _der(0x04, KEY.seed), _der(0x04, bytes(4032)))),
    ],
)
def test_forms_that_hold_an_expanded_key_are_refused(form: str, content: bytes) -> None:
    with pytest.raises(KeyFormatError, match="in seed form has at most 1024 bytes"):
        PrivateKey.from_pem(_ml_dsa_65(content), None)


@pytest.mark.parametrize("content", [_der(0x80, bytes(31)), _der(0x80, bytes(33)), _der(0x04, bytes(32)), b""])
def test_seeds_of_another_length_or_form_are_refused(content: bytes) -> None:
    with pytest.raises(KeyFormatError, match="not a private key in seed form"):
        PrivateKey.from_pem(_ml_dsa_65(content), None)


@pytest.mark.parametrize("kind", FOREIGN)
def test_public_keys_of_other_algorithms_are_refused(kind: str) -> None:
    key = FOREIGN[kind]().public_key()
    with pytest.raises(UnsupportedAlgorithm, match="neither ML-DSA-44, -65, -87 nor Ed25519"):
        PublicKey.from_pem(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("kind", [kind for kind in FOREIGN if kind != "RSA"])
def test_private_keys_of_other_algorithms_are_refused(kind: str, passphrase: bytes | None) -> None:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    pem = FOREIGN[kind]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    with pytest.raises(UnsupportedAlgorithm, match="neither ML-DSA-44, -65, -87 nor Ed25519"):
        PrivateKey.from_pem(pem, passphrase)


PUBLIC_PEM = KEY.public_key.pem()
PRIVATE_PEM = KEY.pem(None)


@pytest.mark.parametrize("pem", [PUBLIC_PEM.replace(b"\n", b"\r\n"), b"\n" + PUBLIC_PEM + b"\n\n", PUBLIC_PEM.strip()])
def test_white_space_around_a_public_key_is_nothing(pem: bytes) -> None:
    assert PublicKey.from_pem(pem) == KEY.public_key


@pytest.mark.parametrize("pem", [PRIVATE_PEM.replace(b"\n", b"\r\n"), b"\n" + PRIVATE_PEM, PRIVATE_PEM.strip()])
def test_white_space_around_a_private_key_is_nothing(pem: bytes) -> None:
    assert PrivateKey.from_pem(pem, None).keyid == KEY.keyid


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        PUBLIC_PEM + PUBLIC_PEM,
        b"# my key\n" + PUBLIC_PEM,
        PUBLIC_PEM + b"# my key",
        PUBLIC_PEM.replace(b"PUBLIC KEY", b"public key"),
        PUBLIC_PEM.replace(b"END PUBLIC", b"END PRIVATE"),
        PUBLIC_PEM.replace(b"PUBLIC KEY", b"CERTIFICATE"),
        PUBLIC_PEM.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
        PRIVATE_PEM,
        KEY.public_key.raw,
    ],
)
def test_what_is_not_one_public_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyFormatError, match="not one PEM block of a PUBLIC KEY"):
        PublicKey.from_pem(pem)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        PRIVATE_PEM + PRIVATE_PEM,
        PRIVATE_PEM.replace(b"PRIVATE KEY", b"EC PRIVATE KEY"),
        PRIVATE_PEM.replace(b"PRIVATE KEY", b"OPENSSH PRIVATE KEY"),
        PRIVATE_PEM.replace(b"END PRIVATE", b"END ENCRYPTED PRIVATE"),
        KEY.seed,
    ],
)
def test_what_is_not_one_private_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyFormatError, match="not one PEM block of a PRIVATE KEY"):
        PrivateKey.from_pem(pem, None)


def test_der_that_is_no_public_key_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="not a public key that can be read"):
        PublicKey.from_pem(_pem("PUBLIC KEY", b"\x30\x03\x02\x01\x00"))


def test_a_public_key_cut_short_is_refused() -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_pem(PUBLIC_PEM.replace(PUBLIC_PEM.splitlines(keepends=True)[-2], b""))


def test_a_pem_is_of_limited_size() -> None:
    with pytest.raises(KeyFormatError, match="at most 8192 bytes of PEM, not 8193"):
        PublicKey.from_pem(PUBLIC_PEM.ljust(8193))
    with pytest.raises(KeyFormatError, match="at most 1024 bytes of PEM, not 1025"):
        PrivateKey.from_pem(PRIVATE_PEM.ljust(1025), None)
    assert PrivateKey.from_pem(PRIVATE_PEM.ljust(1024), None).keyid == KEY.keyid


def test_every_pem_fits_the_limits_with_room_to_spare() -> None:
    for algorithm in SignatureAlgorithm:
        key = PrivateKey.generate(algorithm)
        assert len(key.public_key.pem()) < 4096
        assert len(key.pem(PASSPHRASE)) < 512
