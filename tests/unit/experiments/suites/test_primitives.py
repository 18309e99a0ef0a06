"""The figures that `primitives` is held against: published sizes are met to the byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crypto import ALGORITHMS, KEM_ALGORITHMS
from crypto.providers.oqs_library import find_library
from crypto.research import research_kems, research_signatures
from experiments import FULL, QUICK, Published, Setting
from experiments.suites.primitives import EXPERIMENT

ARMS = {arm.name: arm for arm in EXPERIMENT.arms_at(FULL)}
ON_LIBOQS = pytest.mark.skipif(find_library() is None, reason="the native liboqs is not on this machine")


def sizes(provider: str) -> list[Published]:
    return [
        figure
        for figure in EXPERIMENT.published
        if figure.unit == "bytes" and ARMS[figure.arm].factors["provider"] == provider
    ]


def called(figure: Published) -> str:
    return f"{figure.arm} {figure.quantity}"


def measured(figure: Published, folder: Path) -> float:
    arm = ARMS[figure.arm]
    subject = arm.prepare(Setting(QUICK, folder, random.Random(1)))
    return subject.measure(1).extra[figure.quantity]


@pytest.mark.parametrize("figure", sizes("openssl"), ids=called)
def test_sizes_by_openssl_are_the_published_ones(figure: Published, tmp_path: Path) -> None:
    assert measured(figure, tmp_path) == figure.figure


@pytest.mark.oqs
@ON_LIBOQS
@pytest.mark.parametrize("figure", sizes("oqs"), ids=called)
def test_sizes_by_liboqs_are_the_published_ones(figure: Published, tmp_path: Path) -> None:
    assert measured(figure, tmp_path) == figure.figure


def test_every_algorithm_that_the_product_knows_is_measured() -> None:
    known = {*map(str, ALGORITHMS), *map(str, KEM_ALGORITHMS), *research_signatures(), *research_kems()}
    assert known <= {arm.factors["algorithm"] for arm in ARMS.values()}


def test_what_is_classical_stands_beside_it_at_both_scales() -> None:
    for scale in (QUICK, FULL):
        algorithms = {arm.factors["algorithm"] for arm in EXPERIMENT.arms_at(scale)}
        assert {"ed25519", "ecdsa-p256", "rsa-2048-pss", "x25519"} <= algorithms
