"""Spoilt signatures: other bytes, and other ways to write the same bytes."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest

from tests.attacks.forgery import Forgery
from tests.attacks.scene import Scene
from tests.consortium import Message

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def spoilt(change: Callable[[bytes], bytes]) -> Callable[[Scene], Message]:
    """The victim's request, its signature's bytes changed."""

    def make(scene: Scene) -> Message:
        forgery = scene.forge()
        return forgery.message(change(forgery.signature()))

    return make


def flipped(signature: bytes, position: int) -> bytes:
    """The signature with one bit changed."""
    changed = bytearray(signature)
    changed[position] ^= 1
    return bytes(changed)


def unpadded_bits(text: str) -> str:
    """Base64 that decodes to the same bytes and is not canonical: the unused bits of the last character are set."""
    last = text.rstrip("=")[-1]
    padding = len(text) - len(text.rstrip("="))
    assert padding, "this text has no unused bits"
    return text.rstrip("=")[:-1] + ALPHABET[ALPHABET.index(last) | 1] + "=" * padding


def with_text(change: Callable[[str], str]) -> Callable[[Scene], Message]:
    """The victim's request, its signature written in another way that lenient decoders read alike."""

    def make(scene: Scene) -> Message:
        forgery = scene.forge()
        return forgery.message(change(b64encode(forgery.signature()).decode()))

    return make


BYTES: dict[str, Callable[[Scene], Message]] = {
    "cut by a byte": spoilt(lambda signature: signature[:-1]),
    "cut by half": spoilt(lambda signature: signature[: len(signature) // 2]),
    "one byte": spoilt(lambda signature: signature[:1]),
    "empty": spoilt(lambda _: b""),
    "longer by a byte": spoilt(lambda signature: signature + b"\0"),
    "doubled": spoilt(lambda signature: signature * 2),
    "of zeros": spoilt(lambda signature: bytes(len(signature))),
    "reversed": spoilt(lambda signature: signature[::-1]),
    "a bit of the challenge changed": spoilt(lambda signature: flipped(signature, 0)),
    "a bit of the response changed": spoilt(lambda signature: flipped(signature, len(signature) // 2)),
    "a bit of the hint changed": spoilt(lambda signature: flipped(signature, -1)),
    "an HMAC with the public key": lambda scene: hmac_of(scene),
    "of the hash of the base": lambda scene: prehashed(scene.forge()),
    "of the base without its last line": lambda scene: without_parameters(scene.forge()),
    "of the base with a line feed more": lambda scene: with_line_feed(scene.forge()),
    "in hexadecimal, which is base64 of other bytes": with_text(lambda text: b64decode(text).hex()),
    "of a classical key": lambda scene: by_another(scene.forge(), scene.forge(scene.classical)),
}

TEXTS: dict[str, Callable[[Scene], Message]] = {
    "unused bits set": with_text(unpadded_bits),
    "without padding": with_text(lambda text: text.rstrip("=")),
    "with more padding": with_text(lambda text: text + "="),
    "padded in the middle": with_text(lambda text: text[:8] + "==" + text[8:]),
    "with a space": with_text(lambda text: text[:8] + " " + text[8:]),
    "with a space at the end": with_text(lambda text: text + " "),
    "with a tab": with_text(lambda text: text[:8] + "\t" + text[8:]),
    "in the alphabet for URLs": with_text(lambda text: text.translate(str.maketrans("+/", "-_"))),
    "with a character of neither alphabet": with_text(lambda text: text[:8] + "!" + text[8:]),
    "without colons": lambda scene: without_colons(scene.forge().message()),
    "as a string": lambda scene: as_string(scene.forge().message()),
}


def hmac_of(scene: Scene) -> Message:
    """The request with an HMAC in the place of the signature."""
    forgery = scene.forge()
    return forgery.message(hmac.digest(scene.victim.key.public_key.raw, forgery.base(), sha256))


def prehashed(forgery: Forgery) -> Message:
    """The request with a signature over the hash of what is to be signed."""
    return forgery.message(forgery.key.sign(sha256(forgery.base()).digest()))


def without_parameters(forgery: Forgery) -> Message:
    """The request with a signature that does not cover its own parameters."""
    return forgery.message(forgery.key.sign(forgery.base().rpartition(b"\n")[0]))


def with_line_feed(forgery: Forgery) -> Message:
    """The request with a signature over a base that ends in a line feed."""
    return forgery.message(forgery.key.sign(forgery.base() + b"\n"))


def by_another(forgery: Forgery, other: Forgery) -> Message:
    """The request with another key's signature over the right base."""
    return forgery.message(other.key.sign(forgery.base()))


def without_colons(message: Message) -> Message:
    """The signature as a token instead of a byte sequence."""
    return message.with_header("signature", message.header("signature").replace(":", ""))


def as_string(message: Message) -> Message:
    """The signature as a string instead of a byte sequence."""
    return message.with_header("signature", message.header("signature").replace(":", '"'))


@pytest.mark.parametrize("name", BYTES)
def test_other_bytes_are_not_believed(scene: Scene, name: str) -> None:
    scene.disbelieve(BYTES[name](scene), "invalid-signature")


@pytest.mark.parametrize("name", TEXTS)
def test_only_canonical_base64_is_read(scene: Scene, name: str) -> None:
    scene.disbelieve(TEXTS[name](scene), "malformed-field")


def test_a_classical_signature_cannot_be_bent(scene: Scene) -> None:
    """RFC 8032 §5.1.7: s + L verifies wherever s is not compared with L."""
    order = 2**252 + 27742317777372353535851937790883648493
    forgery = scene.forge(scene.classical)
    signature = forgery.signature()
    bent = int.from_bytes(signature[32:], "little") + order
    scene.disbelieve(forgery.message(signature[:32] + bent.to_bytes(32, "little")), "invalid-signature")
    scene.disbelieve(forgery.message(flipped(signature, 0)), "invalid-signature")
    scene.accept(forgery.message(signature))
