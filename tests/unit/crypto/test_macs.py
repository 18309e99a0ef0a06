from __future__ import annotations

import copy
import hashlib
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import (
    InvalidSignature,
    KeyFormatError,
    MacAlgorithm,
    MacKey,
    PrivateKey,
    Profile,
    ProfileError,
    SignatureAlgorithm,
    SigningError,
    VerificationError,
    open_request,
    sign_request,
    verify_request,
)
from tests.unit.crypto.signed_message import BODY, NOW, UNSIGNED, replaced, with_field

KEY = MacKey("session-1", bytes(range(32)))


@dataclass(frozen=True)
class KnownAnswer:
    """A test case of RFC 4231 §4, SHA-256, in hexadecimal."""

    key: bytes
    data: bytes
    mac: str

    def mac_key(self) -> MacKey:
        """The same key in 32 bytes: HMAC pads a short one with zeros, and hashes one that is longer than a block."""
        block = hashlib.sha256(self.key).digest() if len(self.key) > 64 else self.key
        return MacKey("rfc4231", block.ljust(32, b"\0"))


KNOWN_ANSWERS = {
    "4.2": KnownAnswer(b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    "4.3": KnownAnswer(
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    "4.4": KnownAnswer(b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    "4.5": KnownAnswer(
        bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    "4.7": KnownAnswer(
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    "4.8": KnownAnswer(
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
}
TRUNCATED = KnownAnswer(b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b")


@pytest.mark.parametrize("answer", KNOWN_ANSWERS.values(), ids=KNOWN_ANSWERS.keys())
def test_rfc_4231(answer: KnownAnswer) -> None:
    key = answer.mac_key()
    assert key.sign(answer.data).hex() == answer.mac
    key.verify(bytes.fromhex(answer.mac), answer.data)


def test_a_truncated_mac_is_refused_though_rfc_4231_has_one() -> None:
    key, mac = TRUNCATED.mac_key(), bytes.fromhex(TRUNCATED.mac)
    assert key.sign(TRUNCATED.data)[:16] == mac
    with pytest.raises(InvalidSignature):
        key.verify(mac, TRUNCATED.data)


@given(message=st.binary(max_size=200), data=st.data())
def test_one_changed_bit_is_refused(message: bytes, data: st.DataObject) -> None:
    mac = KEY.sign(message)
    KEY.verify(mac, message)
    bit = 1 << data.draw(st.integers(0, 255))
    with pytest.raises(InvalidSignature):
        KEY.verify((int.from_bytes(mac) ^ bit).to_bytes(32), message)
    with pytest.raises(InvalidSignature):
        KEY.verify(mac, message + b"\0")
    with pytest.raises(InvalidSignature):
        MacKey(KEY.keyid, (int.from_bytes(bytes(range(32))) ^ bit).to_bytes(32)).verify(mac, message)


@given(st.binary(max_size=70))
def test_no_other_bytes_are_the_mac(signature: bytes) -> None:
    with pytest.raises(InvalidSignature) as refused:
        KEY.verify(signature, b"message")
    assert refused.value.reason == "invalid-signature"


def test_other_lengths_of_the_mac_are_refused() -> None:
    mac = KEY.sign(b"message")
    for wrong in (b"", mac[:-1], mac + b"\0", mac * 2, mac[::-1]):
        with pytest.raises(InvalidSignature):
            KEY.verify(wrong, b"message")


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 64])
def test_other_lengths_of_the_key_are_refused(length: int) -> None:
    with pytest.raises(KeyFormatError, match=f"has 32 bytes, not {length}"):
        MacKey("session-1", bytes(length))


def test_the_key_is_a_copy() -> None:
    material = bytearray(range(32))
    key = MacKey("session-1", material)  # type: ignore[arg-type]  # mypy knows better; the caller may not
    material[0] ^= 1
    assert key.sign(b"x") == KEY.sign(b"x")


def test_nothing_shows_the_key() -> None:
    assert repr(KEY) == str(KEY) == f"{KEY}" == "MacKey(session-1)"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(KEY)
    with pytest.raises(InvalidSignature) as refused:
        KEY.verify(bytes(32), b"message")
    shown = str(refused.value) + repr(refused.value)
    assert KEY.sign(b"message").hex() not in shown
    assert bytes(range(32)).hex() not in shown


def test_it_signs_requests_and_only_its_own_are_believed() -> None:
    signed = UNSIGNED
    for name, value in sign_request(UNSIGNED, BODY, [KEY], created=NOW, nonces=["nonce-0000"]):
        signed = with_field(signed, name, value)
    opened = open_request(signed, Profile(), NOW)
    verify_request(opened, BODY, {"session-1": KEY})
    assert [label.algorithm for label in opened.labels] == [MacAlgorithm.HMAC_SHA256]
    with pytest.raises(InvalidSignature):
        verify_request(opened, BODY, {"session-1": MacKey("session-1", bytes(32))})
    with pytest.raises(ProfileError) as refused:
        verify_request(opened, BODY, {"session-2": KEY})
    assert refused.value.reason == "unknown-key"
    with pytest.raises(VerificationError):
        verify_request(
            open_request(replaced(signed, "signature-input", "session-1", "session-2"), Profile(), NOW),
            BODY,
            {"session-2": KEY},
        )


def test_a_public_key_is_never_taken_for_a_mac_key() -> None:
    """The classic confusion: a MAC under the bytes of a public key that everybody knows."""
    private = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32))
    forger = MacKey(private.keyid, private.public_key.raw)
    signed = UNSIGNED
    for name, value in sign_request(UNSIGNED, BODY, [forger], created=NOW, nonces=["nonce-0000"]):
        signed = with_field(signed, name, value)
    with pytest.raises(ProfileError) as refused:
        verify_request(open_request(signed, Profile(), NOW), BODY, {private.keyid: private.public_key})
    assert refused.value.reason == "algorithm-mismatch"
    relabeled = replaced(signed, "signature-input", "hmac-sha256", "ed25519")
    with pytest.raises(InvalidSignature):
        verify_request(open_request(relabeled, Profile(), NOW), BODY, {private.keyid: private.public_key})
    with pytest.raises(ProfileError):
        verify_request(open_request(relabeled, Profile(), NOW), BODY, {private.keyid: forger})


@pytest.mark.parametrize("keyid", ["a\nb", "ü", "\0"])
def test_a_name_that_no_field_can_hold_signs_nothing(keyid: str) -> None:
    with pytest.raises(SigningError):
        sign_request(UNSIGNED, BODY, [MacKey(keyid, bytes(32))], created=NOW, nonces=["nonce-0000"])
