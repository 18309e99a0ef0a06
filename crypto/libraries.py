"""Libraries of extras: whoever needs one asks for it here first, and imports it then."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from crypto.errors import LibraryMissing


@cache
def require(what: str, *names: str) -> None:
    """Return if these libraries, which `what` needs, are installed. Raises LibraryMissing."""
    for name in names:
        if find_spec(name) is None:
            raise LibraryMissing(f"{what} need {name}, which the extra secure-api[private] installs")


def library(what: str, name: str) -> Any:
    """Import a library that has no types, and that `what` needs. Raises LibraryMissing."""
    require(what, name.partition(".")[0])
    return import_module(name)
