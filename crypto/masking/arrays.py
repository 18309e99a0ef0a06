"""The arrays of masked sums; numpy belongs to an extra, and is imported by whoever computes."""

from __future__ import annotations

from typing import Final

from crypto.libraries import require

WORD: Final = "<u4"  # the type of masked values, in arrays as on the wire


def require_numpy() -> None:
    """Return if numpy is installed. Raises LibraryMissing."""
    require("masked sums", "numpy")
