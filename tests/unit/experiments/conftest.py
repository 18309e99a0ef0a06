"""Fixtures of the experiments' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program on folders of its own."""
    folder = tmp_path_factory.mktemp("program")
    return Program(folder / "home", folder / "config")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a run's result goes; not there yet."""
    return tmp_path / "run"
