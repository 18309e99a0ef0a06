"""The arms of signature schemes: what they time works, and a scheme that cheats does not pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto import InvalidSignature
from crypto.providers.oqs_library import find_library
from experiments import QUICK, CheckFailed, Setting, Unavailable
from experiments.schemes import signature_arms
from experiments.schemes.classical_signatures import EcdsaP256
from experiments.schemes.signature_scheme import SignatureLibrary, SignatureScheme
from experiments.schemes.signatures import signature_schemes
from experiments.subject import Operation

ECDSA = SignatureScheme("ecdsa-p256", "openssl", 65, 72, EcdsaP256, variable_length=True)
SIZES = {"ml-dsa-65": (1952, 3309), "ed25519": (32, 64), "ecdsa-p256": (65, 71), "rsa-2048-pss": (270, 256)}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(QUICK, tmp_path, random.Random(1))


class AcceptsAnything(EcdsaP256):
    def verifier(self, public_key: bytes) -> Callable[[bytes, bytes], None]:
        return lambda _signature, _message: None


class RefusesAll(EcdsaP256):
    def verifier(self, public_key: bytes) -> Callable[[bytes, bytes], None]:
        def refuse(_signature: bytes, _message: bytes) -> None:
            raise InvalidSignature

        return refuse


class IgnoresTheMessage(EcdsaP256):
    def signer(self, secret: object) -> Callable[[bytes], bytes]:
        signer = super().signer(secret)  # type: ignore[arg-type]
        return lambda message: signer(b"always this")


class OneKey(EcdsaP256):
    pair = EcdsaP256().generate()

    def generate(self) -> tuple[bytes, object]:  # type: ignore[override]
        return self.pair


@pytest.mark.parametrize("scheme", signature_schemes(wide=False), ids=lambda one: f"{one.algorithm}-{one.provider}")
def test_signs_and_verifies_with_signatures_of_the_standards_size(scheme: SignatureScheme, setting: Setting) -> None:
    for arm in signature_arms.signature_arms(scheme):
        try:
            operation = arm.prepare(setting)
        except Unavailable as error:
            pytest.skip(str(error))
        operation.check()
        extra = operation.measure(2).extra
        public_key, signature = SIZES[scheme.algorithm]
        assert extra["public_key_bytes"] == public_key
        if arm.factors["operation"] != "keygen":
            assert extra["signature_bytes"] == pytest.approx(signature, abs=1 if scheme.variable_length else 0)


@pytest.mark.parametrize(
    ("library", "prepare", "what"),
    [
        (AcceptsAnything, signature_arms.verify, "a changed message is accepted"),
        (RefusesAll, signature_arms.verify, "InvalidSignature"),
        (IgnoresTheMessage, signature_arms.sign, "is refused"),
        (OneKey, signature_arms.keygen, "two key pairs are the same"),
    ],
)
def test_a_library_that_cheats_fails_its_check(
    library: Callable[[], SignatureLibrary],
    prepare: Callable[[SignatureScheme, Setting], Operation],
    what: str,
    setting: Setting,
) -> None:
    operation = prepare(replace(ECDSA, load=library), setting)
    with pytest.raises(CheckFailed, match=what):
        operation.check()


def test_what_is_timed_is_what_is_checked_when_verification_is_left_out_of_the_loop(setting: Setting) -> None:
    honest = signature_arms.verify(ECDSA, setting)
    cheat = replace(honest, call=lambda: None)
    honest.check()
    with pytest.raises(CheckFailed):
        cheat.check()


@pytest.mark.parametrize(
    ("changed", "prepare"),
    [
        ({"signature_bytes": 64, "variable_length": False}, signature_arms.sign),
        ({"public_key_bytes": 33}, signature_arms.keygen),
    ],
)
def test_another_size_than_the_standards_fails_the_check(
    changed: dict[str, int], prepare: Callable[[SignatureScheme, Setting], Operation], setting: Setting
) -> None:
    with pytest.raises(CheckFailed, match="bytes"):
        prepare(replace(ECDSA, **changed), setting).check()  # type: ignore[arg-type]


def test_a_peer_that_disagrees_fails_the_check_and_one_that_is_missing_does_not(setting: Setting) -> None:
    def missing() -> SignatureLibrary:
        raise Unavailable("not here")

    signature_arms.sign(replace(ECDSA, peers=(missing,)), setting).check()
    with pytest.raises(CheckFailed, match="is refused"):
        signature_arms.sign(replace(ECDSA, peers=(RefusesAll,)), setting).check()


def test_making_an_rsa_key_is_not_timed() -> None:
    scheme = next(one for one in signature_schemes(wide=False) if one.algorithm.startswith("rsa"))
    assert [arm.factors["operation"] for arm in signature_arms.signature_arms(scheme)] == ["sign", "verify"]


@pytest.mark.oqs
@pytest.mark.skipif(find_library() is None, reason="liboqs is not there")
@pytest.mark.parametrize(
    "scheme",
    [one for one in signature_schemes(wide=True) if one.provider == "oqs" and not one.algorithm.endswith("s")],
    ids=lambda one: one.algorithm,
)
def test_liboqs_signs_and_verifies(scheme: SignatureScheme, setting: Setting) -> None:
    for prepare in (signature_arms.keygen, signature_arms.sign, signature_arms.verify):
        prepare(scheme, setting).check()
