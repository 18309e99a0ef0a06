"""Durations as people write them: 90s, 30m, 24h, 7d."""

import re
from typing import Final

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: str) -> int:
    """Read a duration; returns seconds.

    Raises:
        CliError: it is none.
    """
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text.strip())
    if match is None:
        raise CliError(f"{text!r} is not a duration", ExitCode.USAGE, "write 90s, 30m, 24h or 7d")
    return int(match[1]) * SECONDS[match[2]]
