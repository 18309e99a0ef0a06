"""A place for temporary folders in which nothing may be left behind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which this test makes its temporary ones; open to all, as a server may run as somebody else."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    try:
        yield folder
        assert list(folder.iterdir()) == [], "left behind"
    finally:
        shutil.rmtree(folder)
