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
