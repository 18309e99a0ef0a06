"""Durations as people write them."""

from __future__ import annotations

import pytest

from secure_api.cli.duration import parse_duration
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800), (" 1h ", 3_600)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1.5h", "1w", "1h30m", "1 h", "1H", "9" * 10, "١h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(CliError, match="is not a duration") as caught:
        parse_duration(text)
    assert (caught.value.code, caught.value.hint) == (ExitCode.USAGE, "write 90s, 30m, 24h or 7d")
