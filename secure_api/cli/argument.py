"""Numbers as options take them."""

import math

from typer import BadParameter

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode


def finite(number: float) -> float:
    """Return the number, for an option that takes one (its callback).

    Raises:
        BadParameter: it is NaN or infinite, which passes any range.
    """
    if not math.isfinite(number):
        raise BadParameter("a finite number is needed")
    return number


def named_number(text: str) -> tuple[str, float]:
    """Split NAME=NUMBER.

    Raises:
        CliError: it is something else.
    """
    name, equals, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        equals = ""
        value = 0.0
    if not equals or not name:
        raise CliError(f"{text!r:.60} is not NAME=NUMBER", ExitCode.USAGE)
    return name, value
