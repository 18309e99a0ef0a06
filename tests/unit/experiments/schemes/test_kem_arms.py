"""The arms of key encapsulations: what they time works, and a mechanism that cheats does not pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto import Encapsulation
from crypto.providers.oqs_library import find_library
from experiments import QUICK, CheckFailed, Setting, Unavailable
from experiments.schemes import kem_arms
from experiments.schemes.kem_libraries import X25519
from experiments.schemes.kem_scheme import KemLibrary, KemScheme
from experiments.schemes.kems import kem_schemes
from experiments.subject import Operation

SCHEME = KemScheme("x25519", "openssl", 32, 32, 32, X25519)
SIZES = {"ml-kem-768": (1184, 1088), "x-wing": (1216, 1120), "x25519": (32, 32)}
PREPARE = (kem_arms.keygen, kem_arms.encaps, kem_arms.decaps)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(QUICK, tmp_path, random.Random(1))


class SendsTheSecret(X25519):
    def encapsulator(self, public_key: bytes) -> Callable[[], Encapsulation]:
        return lambda: Encapsulation(bytes(31) + b"\1", bytes(31) + b"\1")


class OneSecret(X25519):
    def encapsulator(self, public_key: bytes) -> Callable[[], Encapsulation]:
        made = super().encapsulator(public_key)()
        return lambda: made


class IgnoresTheCiphertext(X25519):
    def encapsulator(self, public_key: bytes) -> Callable[[], Encapsulation]:
        return lambda: Encapsulation(bytes(32), bytes(32))

    def decapsulator(self, secret: object) -> Callable[[bytes], bytes]:
        return lambda _ciphertext: bytes(32)


class OneKey(X25519):
    pair = X25519().generate()

    def generate(self) -> tuple[bytes, object]:  # type: ignore[override]
        return self.pair


@pytest.mark.parametrize("scheme", kem_schemes(wide=False), ids=lambda one: f"{one.algorithm}-{one.provider}")
def test_encapsulates_with_the_sizes_of_the_standard(scheme: KemScheme, setting: Setting) -> None:
    for arm in kem_arms.kem_arms(scheme):
        try:
            operation = arm.prepare(setting)
        except Unavailable as error:
            pytest.skip(str(error))
        operation.check()
        extra = operation.measure(2).extra
        assert (extra["public_key_bytes"], extra["ciphertext_bytes"]) == SIZES[scheme.algorithm]


@pytest.mark.parametrize(
    ("library", "prepare", "what"),
    [
        (SendsTheSecret, kem_arms.encaps, "is another secret elsewhere"),
        (OneSecret, kem_arms.encaps, "two encapsulations have one secret"),
        (IgnoresTheCiphertext, kem_arms.decaps, "a changed ciphertext gives the same secret"),
        (OneKey, kem_arms.keygen, "two key pairs are the same"),
    ],
)
def test_a_library_that_cheats_fails_its_check(
    library: Callable[[], KemLibrary],
    prepare: Callable[[KemScheme, Setting], Operation],
    what: str,
    setting: Setting,
) -> None:
    operation = prepare(replace(SCHEME, load=library), setting)
    with pytest.raises(CheckFailed, match=what):
        operation.check()


@pytest.mark.parametrize("prepare", PREPARE)
def test_an_operation_that_does_nothing_fails_its_check(
    prepare: Callable[[KemScheme, Setting], Operation], setting: Setting
) -> None:
    with pytest.raises(CheckFailed):
        replace(prepare(SCHEME, setting), call=lambda: None).check()


@pytest.mark.parametrize("size", ["public_key_bytes", "ciphertext_bytes", "shared_secret_bytes"])
def test_another_size_than_the_standards_fails_the_check(size: str, setting: Setting) -> None:
    with pytest.raises(CheckFailed, match="bytes"):
        kem_arms.keygen(replace(SCHEME, **{size: 33}), setting).check()  # type: ignore[arg-type]


def test_a_peer_that_disagrees_fails_the_check_and_one_that_is_missing_does_not(setting: Setting) -> None:
    def missing() -> KemLibrary:
        raise Unavailable("not here")

    kem_arms.decaps(replace(SCHEME, peers=(missing,)), setting).check()
    with pytest.raises(CheckFailed, match="another secret"):
        kem_arms.encaps(replace(SCHEME, peers=(IgnoresTheCiphertext,)), setting).check()


@pytest.mark.oqs
@pytest.mark.skipif(find_library() is None, reason="the native liboqs is not on this machine")
@pytest.mark.parametrize(
    "scheme", [one for one in kem_schemes(wide=True) if one.provider == "oqs"], ids=lambda one: one.algorithm
)
def test_liboqs_encapsulates(scheme: KemScheme, setting: Setting) -> None:
    for prepare in PREPARE:
        prepare(scheme, setting).check()
