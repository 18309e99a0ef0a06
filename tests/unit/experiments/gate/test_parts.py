"""The parts of authenticating a request: each does what it is timed for, and one that skips it does not pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.providers import select_provider
from crypto.providers.kem_selection import select_kem_provider
from crypto.providers.oqs_library import find_library
from experiments import CheckFailed
from experiments.gate import prepared
from experiments.gate.doorway import HMAC, Doorway
from experiments.gate.doorways import enter, leave
from experiments.gate.parts import PARTS, REST, WHOLE, Part, parts_of
from experiments.gate.prepared import Prepared, Signed
from experiments.gate.subjects import PartSubject

EVERY = (*PARTS, REST, WHOLE)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doorway]:
    door = enter(tmp_path_factory.mktemp("door"), "openssl")
    yield door
    leave(door)


class Planted(PartSubject):
    """A part whose step was replaced."""

    def __init__(self, door: Doorway, part: str, planted: Part) -> None:
        super().__init__(door, part, "ed25519", 64)
        self._part = planted


def part_of(door: Doorway, name: str) -> Part:
    return parts_of(door, "ed25519")[name]


@pytest.mark.parametrize("algorithm", ["ml-dsa-44", "ed25519", HMAC])
@pytest.mark.parametrize("part", EVERY)
def test_a_part_does_what_it_is_timed_for(door: Doorway, part: str, algorithm: str) -> None:
    subject = PartSubject(door, part, algorithm, 100)
    subject.check()
    reading = subject.measure(70)  # more than are signed at once
    assert reading.loops == 70
    assert reading.wall > 0
    subject.check()


@pytest.mark.parametrize("part", EVERY)
def test_a_step_that_does_nothing_fails_the_check(door: Doorway, part: str) -> None:
    honest = part_of(door, part)

    async def later(_p: Prepared) -> None:
        return None

    lazy = replace(honest, step=later if honest.awaited else lambda _p: None)
    with pytest.raises(CheckFailed):
        Planted(door, part, lazy).check()


@pytest.mark.parametrize("part", ["parse", "lookup", WHOLE])
def test_a_step_that_gives_what_is_expected_without_looking_fails_the_check(door: Doorway, part: str) -> None:
    honest = part_of(door, part)
    blind = replace(honest, step=lambda p: p, expected=lambda p, result: result is p, awaited=False)
    with pytest.raises(CheckFailed, match="is accepted"):
        Planted(door, part, blind).check()


def test_a_step_that_fails_otherwise_than_by_refusing_fails_the_check(door: Doorway) -> None:
    honest = part_of(door, "verify")

    def step(p: Prepared) -> None:
        if p.base.endswith(b" "):
            raise OSError("the disk is full")
        honest.step(p)

    with pytest.raises(CheckFailed, match="is not refused, but OSError: the disk is full"):
        Planted(door, "verify", replace(honest, step=step)).check()


def test_a_base_that_is_wrong_in_one_byte_fails_the_check(door: Doorway) -> None:
    honest = part_of(door, "base")
    with pytest.raises(CheckFailed, match="a good request gave"):
        Planted(door, "base", replace(honest, step=lambda p: honest.step(p) + b"\n")).check()


def test_rest_lets_through_what_its_missing_parts_would_refuse_and_leaves_them_in_place(door: Doorway) -> None:
    rest, whole = parts_of(door, "ed25519")[REST], parts_of(door, "ed25519")[WHOLE]
    some = Signed(door, "ed25519", 10).fresh()
    forged = whole.forged(some)["a request with another's signature"]

    async def through(part: Part) -> object:
        with part.within():
            return await part.step(forged)

    assert door.run(through(rest)) == some[0].body
    with pytest.raises(whole.refusal):
        door.run(through(whole))


def test_requests_are_signed_anew_before_they_are_too_old(door: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = Signed(door, "ed25519", 10)
    first = signed.fresh()
    assert signed.fresh() == first
    monkeypatch.setattr(prepared, "STALE", -1)
    assert {one.label.nonce for one in signed.fresh()}.isdisjoint(one.label.nonce for one in first)


@pytest.mark.oqs
@pytest.mark.skipif(find_library() is None, reason="the native liboqs is not on this machine")
def test_every_part_works_with_liboqs(tmp_path: Path) -> None:
    door = Doorway(tmp_path, "oqs")
    try:
        for algorithm in ("ml-dsa-65", "ed25519"):
            for part in EVERY:
                PartSubject(door, part, algorithm, 1024).check()
    finally:
        door.close()
        select_provider("openssl")
        select_kem_provider("openssl")
