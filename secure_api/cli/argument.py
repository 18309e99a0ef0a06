"""NAME=NUMBER, as options take it."""

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode


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
