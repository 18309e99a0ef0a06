"""numpy and MPyC belong to an extra: whoever computes asks for them here first, and imports them then."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from crypto.errors import LibraryMissing


@cache
def require(*names: str) -> None:
    """Return if all of these libraries are installed. Raises LibraryMissing."""
    for name in names:
        if find_spec(name) is None:
            raise LibraryMissing(f"multi-party studies need {name}, which the extra secure-api[private] installs")
