"""The sources that take part in a run, as one digest."""

import hashlib
from collections.abc import Iterable
from importlib import util
from pathlib import Path
from typing import Final

PACKAGES: Final = ("crypto", "secure_api", "experiments")


def digest(files: Iterable[Path] = ()) -> str:
    """SHA-256 (hexadecimal) over every Python file of our packages, and these files, by name and content."""
    found = hashlib.sha256()
    for package in PACKAGES:
        spec = util.find_spec(package)
        for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
            for path in sorted(folder.rglob("*.py")):
                _add(found, f"{package}/{path.relative_to(folder).as_posix()}", path)
    for path in sorted(files):
        _add(found, path.name, path)
    return found.hexdigest()


def _add(found: "hashlib._Hash", name: str, path: Path) -> None:
    found.update(f"{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
