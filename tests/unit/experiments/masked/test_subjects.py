from __future__ import annotations

from pathlib import Path
from random import Random

import numpy
import pytest

from experiments.errors import CheckFailed
from experiments.masked.consortium import consortium
from experiments.masked.subjects import collecting, flower_mask, mask, stepping, unmasking
from experiments.scale import QUICK
from experiments.subject import Operation, Setting
from experiments.suites.masked_sums import DROPPING, STEPS

SETTING = Setting(QUICK, Path(), Random(1))
SIZE = 8


def test_masks_of_both_ways_follow_from_their_seed() -> None:
    for subject in (mask(64, SETTING), flower_mask(64, SETTING)):
        subject.check()
        with pytest.raises(CheckFailed, match="two masks"):
            Operation(lambda: numpy.zeros(64, "<u4"), subject.verify).check()


def test_flower_draws_its_masks_from_32_bits_of_the_seed() -> None:
    class Doubled(Random):
        def randbytes(self, n: int) -> bytes:
            return super().randbytes(4) * (n // 4)  # eight equal words fold to zero

    masks = [flower_mask(16, Setting(QUICK, Path(), Doubled(seed))).call() for seed in (1, 2)]
    assert numpy.array_equal(*masks)  # type: ignore[arg-type]


@pytest.mark.parametrize("masked", [True, False])
def test_sums_of_contributions_are_those_of_wider_words(masked: bool) -> None:
    subject = collecting(SIZE, SETTING, masked=masked)
    subject.check()
    assert subject.measure(150).extra["contribution_bytes"] == 4 * (SIZE + 1) + (40 if masked else 0)
    subject._expected = subject._expected + 1
    with pytest.raises(CheckFailed, match="another one"):
        subject.check()


@pytest.mark.parametrize("step", STEPS)
def test_a_client_takes_its_steps_again_and_again(step: str) -> None:
    subject = stepping(step, SIZE, SETTING)
    subject.check()
    subject.check()


@pytest.mark.parametrize("dropped", DROPPING)
def test_what_is_unmasked_is_the_sum_of_those_who_stayed(dropped: int) -> None:
    subject = unmasking(SIZE, dropped, SETTING)
    subject.check()
    with pytest.raises(CheckFailed, match="another one"):
        Operation(consortium(SIZE).revealed(dropped + 1 if dropped < 6 else 0).result, subject.verify).check()
