from __future__ import annotations

import subprocess
import sys

import pytest

from crypto.errors import LibraryMissing
from crypto.libraries import require


def test_neither_numpy_nor_mpyc_is_imported_before_something_is_computed() -> None:
    modules = "crypto.mpc, crypto.mpc.child, secure_api.client.mpc, secure_api.cli.mpc, secure_api.services.studies.mpc"
    program = f"import sys, {modules}; print(sorted({{'numpy', 'mpyc', 'gmpy2'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_missing_library_names_its_extra() -> None:
    require("multi-party studies", "json")
    with pytest.raises(LibraryMissing, match=r"secure-api\[private\]"):
        require("multi-party studies", "no_such_library")
