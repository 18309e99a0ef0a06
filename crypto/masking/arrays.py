"""numpy belongs to an extra: whoever computes with arrays asks for it here first, and imports it then."""

from __future__ import annotations

from functools import cache
from typing import Final

from crypto.errors import LibraryMissing

WORD: Final = "<u4"  # the type of masked values, in arrays as on the wire


@cache
def require_numpy() -> None:
    """Return if numpy is installed. Raises LibraryMissing."""
    try:
        import numpy  # noqa: F401
    except ModuleNotFoundError:
        raise LibraryMissing("masked sums need numpy, which the extra secure-api[private] installs") from None
