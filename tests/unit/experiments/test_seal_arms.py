"""The arms of sealing: what they time works, and a seal that cheats does not pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import QUICK, CheckFailed, Setting
from experiments.seal_arms import opening, seal_arms, sealing
from experiments.seals import SEALS, Seal, session

OVERHEAD = {"hpke-x-wing": (1136, 2352), "session": (28, 28), "cipher": (28, 28)}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(QUICK, tmp_path, random.Random(1))


@pytest.mark.parametrize("size", [0, 1, 1024, 65536])
@pytest.mark.parametrize("name", SEALS)
def test_seals_and_opens_with_the_overhead_that_the_formats_have(name: str, size: int, setting: Setting) -> None:
    for arm in seal_arms(name, SEALS[name], size):
        subject = arm.prepare(setting)
        subject.check()
        extra = subject.measure(5).extra
        assert (extra["overhead_bytes"], extra["request_overhead_bytes"]) == OVERHEAD[name]


def reads_without_looking() -> Seal:
    way = session()
    return replace(way, seal=lambda body, _context: bytes(12) + body, open=lambda sealed, _context: sealed[12:])


def one_nonce() -> Seal:
    way = session()
    made: dict[tuple[bytes, bytes], bytes] = {}

    def seal(body: bytes, context: bytes) -> bytes:
        sealed: bytes = made.setdefault((body, context), way.seal(body, context))
        return sealed

    return replace(way, seal=seal)


def any_context() -> Seal:
    way = session()
    return replace(way, seal=lambda body, _context: way.seal(body, b""), open=lambda sealed, _: way.open(sealed, b""))


def other_bytes() -> Seal:
    way = session()
    return replace(way, open=lambda sealed, context: way.open(sealed, context)[::-1])


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (one_nonce, "same bytes twice"),
        (any_context, "another context is accepted"),
        (other_bytes, "does not open to the same bytes"),
        (reads_without_looking, "the same bytes twice"),
    ],
)
def test_a_seal_that_cheats_fails_the_check(make: Callable[[], Seal], what: str, setting: Setting) -> None:
    with pytest.raises(CheckFailed, match=what):
        sealing(make, 64, setting).check()


def test_a_body_in_clear_fails_the_check(setting: Setting) -> None:
    way = session()
    readable = replace(way, seal=lambda body, context: way.seal(body, context) + body, open=lambda s, c: s[-64:])
    with pytest.raises(CheckFailed, match="can be read"):
        sealing(lambda: readable, 64, setting).check()


@pytest.mark.parametrize("make", [any_context, reads_without_looking, other_bytes])
def test_an_opening_that_cheats_fails_the_check(make: Callable[[], Seal], setting: Setting) -> None:
    with pytest.raises(CheckFailed):
        opening(make, 64, setting).check()


def test_an_opening_whose_timed_call_does_not_look_fails_the_check(setting: Setting) -> None:
    honest = opening(session, 64, setting)
    body = honest.call()
    with pytest.raises(CheckFailed, match="is accepted"):
        replace(honest, call=lambda: body).check()
    with pytest.raises(CheckFailed):
        replace(sealing(session, 64, setting), call=lambda: None).check()
