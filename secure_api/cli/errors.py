"""Errors of the command line.

CliError      one line for stderr, a hint, and the exit status
"""

from secure_api.cli.exit_codes import ExitCode


class CliError(Exception):
    """A command ends here: `str()` is the one line, `hint` what may help."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILURE, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def cause_of(error: Exception) -> str | None:
    """Give what the database's driver said, which the server keeps for its log: here its operator is reading."""
    cause = error.__cause__
    if getattr(error, "slug", None) != "database-unavailable" or cause is None:
        return None
    driver: BaseException = getattr(cause, "orig", None) or cause
    said = str(driver).partition("\n")[0]
    return f"{said or type(driver).__name__}; is SECURE_API_DATABASE_URL right?"
