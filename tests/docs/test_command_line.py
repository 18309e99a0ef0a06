"""docs/command-line.md lists the exit statuses that there are."""

from __future__ import annotations

import re
from pathlib import Path

from secure_api.cli.exit_codes import ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_every_exit_status_is_listed() -> None:
    table = PAGE.read_text().partition("<!-- exit codes: begin -->")[2].partition("<!-- exit codes: end -->")[0]
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == sorted(ExitCode)
