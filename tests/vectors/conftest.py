"""Where published test vectors are read from: `SECURE_API_VECTORS`, or `shared/vectors` beside the repository."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto import SignatureProvider
from crypto.providers import OpenSSLProvider, oqs_library
from tests.services.fixtures.requirement import unavailable

ReadVectors = Callable[[str], Any]

_BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "vectors"


@pytest.fixture(scope="session")
def read_vectors() -> ReadVectors:
    """Read a JSON file of vectors by name; without the file the test is skipped, or fails where all must be there."""

    def read(name: str) -> Any:
        path = Path(os.environ.get("SECURE_API_VECTORS", _BESIDE_THE_REPOSITORY)) / name
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            unavailable(f"the vector file {name}", f"not in {path.parent} (SECURE_API_VECTORS names another folder)")

    return read


@pytest.fixture(scope="session")
def providers() -> list[SignatureProvider]:
    """Every provider that is here: all of them must agree with the vectors."""
    if oqs_library.find_library() is None:
        return [OpenSSLProvider()]
    from crypto.providers.oqs import OqsProvider

    return [OpenSSLProvider(), OqsProvider()]
