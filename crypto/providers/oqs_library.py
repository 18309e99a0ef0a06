"""Finding the native liboqs without any of what `import oqs` does when it is missing.

liboqs-python clones, builds and installs liboqs when it cannot find it, prints while it does, and exits the process
when that fails. So the shared library is looked for here first, and liboqs-python is imported only when it is there,
with its output kept from stdout.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from crypto.errors import ProviderUnavailable

INSTALL_PATH: Final = "OQS_INSTALL_PATH"
SYSTEM_FOLDERS: Final = ("/usr/local/lib", "/usr/local/lib64", "/usr/lib", "/usr/lib64", "/opt/homebrew/lib")
HOW_TO_GET_IT: Final = 'pip install "secure-api[oqs]", and liboqs as a shared library below OQS_INSTALL_PATH'


def find_library() -> Path | None:
    """Return the path of liboqs, or None. Looks at files only: nothing is loaded, run, fetched or printed.

    `OQS_INSTALL_PATH` is believed when it is set; else liboqs-python's own folder and the system's are searched.
    """
    prefix = os.environ.get(INSTALL_PATH)
    if prefix is not None:
        folders = [Path(prefix, "lib"), Path(prefix, "lib64")]
    else:
        home = Path.home() / "_oqs"
        multiarch = Path("/usr/lib").glob("*-linux-gnu")
        folders = [home / "lib", home / "lib64", *map(Path, SYSTEM_FOLDERS), *multiarch]
    for folder in folders:
        for name in ("liboqs.so", "liboqs.dylib"):
            if (path := folder / name).exists():
                return path
    return None


def open_library(path: Path) -> None:
    """Load a shared library. Raises ProviderUnavailable, with the reason in one line."""
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ProviderUnavailable(f"{path} cannot be loaded: {reason}") from error


@cache
def load() -> Any:
    """Return the module `oqs`, its native library loaded. Raises ProviderUnavailable."""
    path = find_library()
    if path is None or find_spec("oqs") is None:
        missing = "liboqs" if path is None else "liboqs-python"
        raise ProviderUnavailable(f"{missing} is not there: {HOW_TO_GET_IT}")
    open_library(path)  # what cannot be loaded here would make liboqs-python build another one
    # It logs at import, through whatever the program has set up: one line of ours would become two.
    logging.getLogger("oqs.oqs").propagate = False
    try:
        with _pointed_at(path), contextlib.redirect_stdout(io.StringIO()):
            return import_module("oqs")
    except (Exception, SystemExit) as error:
        raise ProviderUnavailable(f"liboqs-python cannot use {path}: {error}") from error


def obstacle() -> str | None:
    """Say in one line why liboqs is not used although it is there, with liboqs-python; None otherwise."""
    if find_library() is None or find_spec("oqs") is None:
        return None
    try:
        load()
    except ProviderUnavailable as error:
        return str(error)
    return None


@contextlib.contextmanager
def _pointed_at(path: Path) -> Iterator[None]:
    """Tell liboqs-python where the library is, which searches fewer folders than we do."""
    before = os.environ.get(INSTALL_PATH)
    os.environ[INSTALL_PATH] = str(path.parent.parent)
    try:
        yield
    finally:
        if before is None:
            del os.environ[INSTALL_PATH]
        else:
            os.environ[INSTALL_PATH] = before
