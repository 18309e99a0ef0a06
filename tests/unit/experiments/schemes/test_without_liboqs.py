"""Without liboqs the arms that need it are unavailable, with the reason, and the others are as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.providers import oqs_library
from experiments import FULL, Setting, Unavailable
from experiments.schemes import kem_libraries, product_signatures
from experiments.suites.primitives import EXPERIMENT

ARMS = {arm.name: arm for arm in EXPERIMENT.arms_at(FULL)}


@pytest.fixture(autouse=True)
def no_liboqs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    caches = (oqs_library.load, product_signatures._oqs_provider, kem_libraries._oqs_provider)
    monkeypatch.setenv(oqs_library.INSTALL_PATH, str(tmp_path))
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize(
    "name", ["ml-dsa-65 verify oqs", "falcon-512 sign oqs", "x-wing encaps oqs", "hqc-1 keygen oqs"]
)
def test_an_arm_of_liboqs_says_that_it_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="liboqs is not there"):
        ARMS[name].prepare(Setting(FULL, tmp_path, random.Random(1)))


@pytest.mark.parametrize("name", ["ml-dsa-44 sign openssl", "ml-kem-1024 decaps openssl"])
def test_an_arm_of_openssl_is_checked_by_openssl_alone(name: str, tmp_path: Path) -> None:
    ARMS[name].prepare(Setting(FULL, tmp_path, random.Random(1))).check()
