"""The folder of a private server goes with whoever made it, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.instances.account import folder_of

KILLED = """
import os, signal
from experiments.instances.account import folder_of
with folder_of({}, "secure-api-test-") as folder:
    folder.joinpath("file").touch()
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_folder_goes_in_the_end() -> None:
    with folder_of({}, "secure-api-test-") as folder:
        folder.joinpath("file").touch()
    assert not folder.exists()


def test_the_folder_of_a_killed_process_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    said = subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True, text=True).stdout
    folder = Path(said.strip())
    assert folder.parent == tmp_path
    until = time.monotonic() + 60
    while folder.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
