"""What programs say of themselves."""

import re
import subprocess
from pathlib import Path
from typing import Final

_LONGEST: Final = 400  # characters of a program's last words


def version_of(program: Path) -> str | None:
    """Return the version that `program --version` tells, such as "18.6"; None if it cannot be run or tells none."""
    command: list[str | Path] = [program, "--version"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - of a wheel, or PATH
    except OSError:
        return None
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else None


def one_line(output: str) -> str:
    """Return the end of a program's output as one line."""
    return " ".join(output.split())[-_LONGEST:]
