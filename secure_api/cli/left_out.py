"""Lines of a file that could not be read, told in one warning."""

from typing import Final

from secure_api.cli.console import warn

SHOWN_PROBLEMS: Final = 3


def tell_problems(name: str, bad: int, problems: list[tuple[int, str]]) -> None:
    """Warn of lines that could not be read."""
    if bad:
        shown = "; ".join(f"line {number}: {problem}" for number, problem in problems[:SHOWN_PROBLEMS])
        warn(f"{name}: {bad:,} line{' was' if bad == 1 else 's were'} left out ({shown}{'; ...' * (bad > 3)})")
