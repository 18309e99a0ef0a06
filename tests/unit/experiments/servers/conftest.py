"""Arms that are servers, prepared as a worker prepares them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import QUICK, Setting
from experiments.servers.arm import ServedRequests, server_arm
from experiments.servers.protection import Protection

Prepare = Callable[..., ServedRequests]
BRIEF = replace(QUICK, requests=20)


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepare]:
    """Prepare an arm: `prepare(protection, **options)`, options as of `server_arm`; servers end with the module."""
    with ExitStack() as stack:

        def make(protection: Protection, folder: Path | None = None, **options: object) -> ServedRequests:
            setting = Setting(BRIEF, folder or tmp_path_factory.mktemp("arm"), random.Random(1))
            subject = server_arm(protection, **options)(setting)  # type: ignore[arg-type]
            stack.callback(subject.close)
            return subject

        yield make
