"""The libraries behind encrypted sums, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from crypto.errors import LibraryMissing


def library(name: str) -> Any:
    """Import numpy, tenseal or zstandard. Raises LibraryMissing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise LibraryMissing(f"encrypted sums need {name}, which the extra secure-api[private] installs") from None
