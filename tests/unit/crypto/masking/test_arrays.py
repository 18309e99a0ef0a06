"""numpy belongs to an extra: without it, the rest of the package works, and masked sums say what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import crypto

PROGRAM = """
import sys
sys.modules["numpy"] = None  # what is not installed cannot be imported
import crypto
try:
    crypto.Quantization.bounded(1.0, 0.5).encode([1.0], 1)
except crypto.LibraryMissing as error:
    print(error)
"""


def run(program: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    folder = Path(crypto.__path__[0]).parent
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_without_numpy_one_line_names_the_extra() -> None:
    assert run(PROGRAM) == "masked sums need numpy, which the extra secure-api[private] installs\n"


def test_the_package_does_not_load_numpy() -> None:
    assert run("import sys, crypto; print('numpy' in sys.modules)") == "False\n"
