"""What the arms of offloading measure, and what their check catches."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psutil
import pytest

from crypto import InvalidSignature
from experiments import CheckFailed, Unavailable
from experiments.offload.verifiers import MESSAGES, VERIFIERS
from experiments.offload.verifying import AT_ONCE, LEAD, Verifying, release_cores
from experiments.offload.ways import WAYS, Verify, Way

VERIFY, SIGNED = VERIFIERS["hmac-sha256", "openssl"](Random(1))


@contextmanager
def verifying(way: Way, verify: Verify = VERIFY, *, offloaded: bool) -> Iterator[Verifying]:
    """Verifications in one way."""
    subject = Verifying(way, verify, SIGNED, offloaded=offloaded, window=0.001)
    try:
        yield subject
    finally:
        subject.close()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_passes_the_check_and_is_measured(way: str) -> None:
    before = set(psutil.Process().children())  # servers of other tests of this process
    with verifying(WAYS[way], offloaded=way != "inline") as subject:
        subject.check()
        assert subject.loops >= LEAD
        reading = subject.measure(subject.loops)
        subject.check()
        others = set(psutil.Process().children()) - before
    assert reading.loops == subject.loops
    assert reading.extra["rate"] == pytest.approx(1e6 / reading.wall)
    assert 0 < reading.extra["loop_delay_p50"] <= reading.extra["loop_delay_p99"]
    assert [process for process in others if process.is_running()] == [], "nobody arrives any more"
    assert [thread for thread in threading.enumerate() if not thread.daemon] == [threading.main_thread()]


@pytest.mark.parametrize(
    "verifier", [pytest.param(one, marks=pytest.mark.oqs if "oqs" in one else ()) for one in VERIFIERS], ids=" ".join
)
def test_every_verifier_tells_valid_from_forged(verifier: tuple[str, str]) -> None:
    try:
        verify, signed = VERIFIERS[verifier](Random(1))
    except Unavailable as error:
        pytest.skip(str(error))
    assert len({message for _, message in signed}) == MESSAGES
    for signature, message in signed:
        verify(signature, message)
        with pytest.raises(InvalidSignature):
            verify(signature, message[::-1])


def accept_all(_signature: bytes, _message: bytes) -> None:
    """Verify nothing."""


def refuse_all(_signature: bytes, _message: bytes) -> None:
    raise InvalidSignature


def ignore_the_message(signature: bytes, _message: bytes) -> None:
    if signature not in {known for known, _ in SIGNED}:
        raise InvalidSignature


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (accept_all, f"of {AT_ONCE} signatures at once it does not refuse the forged one"),
        (refuse_all, "refuses a valid signature"),
        (ignore_the_message, "takes the signature of another message"),
    ],
)
def test_a_verifier_at_fault_is_caught(way: str, fault: Verify, said: str) -> None:
    with verifying(WAYS[way], offloaded=way != "inline") as subject:
        subject._verify = fault
        with pytest.raises(CheckFailed, match=said):
            subject.check()


async def lost(_verify: Verify, _signature: bytes, _message: bytes) -> None:
    """Never verify."""


def test_a_way_that_does_not_verify_is_caught() -> None:
    with verifying(lost, offloaded=True) as subject, pytest.raises(CheckFailed, match="does not refuse the forged one"):
        subject.check()


@pytest.mark.parametrize("way", WAYS)
def test_a_way_that_is_not_what_it_is_named_after_is_caught(way: str) -> None:
    with (
        verifying(WAYS[way], offloaded=way == "inline") as subject,
        pytest.raises(CheckFailed, match="not all signatures are verified in"),
    ):
        subject.check()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
def test_a_pinned_process_is_released() -> None:
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usable)})
    try:
        release_cores()
        assert os.sched_getaffinity(0) >= usable
    finally:
        os.sched_setaffinity(0, usable)
