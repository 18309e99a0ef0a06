"""Libraries of the extra `behavior`: whoever needs one asks here first, and imports it then."""

from importlib.util import find_spec

from anomaly.errors import LibraryMissing


def require(*names: str) -> None:
    """Return if these libraries are installed.

    Raises:
        LibraryMissing: one is not.
    """
    for name in names:
        if find_spec(name) is None:
            raise LibraryMissing(name)
