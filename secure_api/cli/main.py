"""`secure-api`: run a command, and turn whatever goes wrong into one line and an exit status."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import typer
from typer.exceptions import TyperException

from secure_api import __version__
from secure_api.cli.command_group import CommandGroup
from secure_api.cli.exit_codes import ExitCode

DEBUG: Final = "SECURE_API_DEBUG"
COMPLETION: Final = "_SECURE_API_COMPLETE"

#: Errors of the layers below, by name: importing them here would make every command wait for all of them.
CODES: Final = {
    "anomaly.errors.EventError": ExitCode.USAGE,
    "anomaly.errors.AnomalyError": ExitCode.FAILURE,
    "crypto.errors.SigningError": ExitCode.USAGE,
    "crypto.errors.SealingError": ExitCode.USAGE,
    "crypto.errors.MpcTermsError": ExitCode.FAILURE,
    "crypto.errors.MpcInputError": ExitCode.FAILURE,
    "crypto.errors.MaskingError": ExitCode.FAILURE,
    "crypto.errors.CryptoError": ExitCode.KEY,
    "secure_api.client.errors.ResponseRefused": ExitCode.REFUSED,
    "secure_api.client.errors.ServerUnusable": ExitCode.FAILURE,
    "secure_api.client.errors.ClientError": ExitCode.KEY,
    "secure_api.domain.errors.KeyUnusable": ExitCode.KEY,
    "secure_api.domain.errors.DomainError": ExitCode.FAILURE,
}

app = typer.Typer(
    name="secure-api",
    cls=CommandGroup,
    help="A consortium API that believes only signed requests, with post-quantum signatures.",
    epilog="Try first: secure-api demo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"secure-api {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options of the program itself."""


def main() -> NoReturn:
    """Run the program: the entry point of `secure-api`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _status_of(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        _abandon_stdout()
        return ExitCode.NOBODY_READS
    except OSError as error:
        _abandon_stdout()
        return _report(error)


def _status_of(arguments: Sequence[str]) -> int:
    try:
        return _run(list(arguments))
    except typer.Exit as exit_:
        return exit_.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError):
            try:
                sys.stdout.flush()
            except OSError:  # it is stdout that cannot be written, and one line says so
                _abandon_stdout()
        return _report(error)


def _abandon_stdout() -> None:
    """Give the interpreter something to flush into when it ends: stdout takes nothing any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> ExitCode:
    command = typer.main.get_command(app)
    if COMPLETION in os.environ:
        command.main(prog_name="secure-api")
    for place, argument in enumerate(arguments, start=1):
        if not _is_utf8(argument):
            from secure_api.cli.errors import CliError

            raise CliError(f"argument {place} is not UTF-8: {argument}", ExitCode.USAGE)
    with command.make_context("secure-api", arguments) as context:
        command.invoke(context)
    return ExitCode.OK


def _is_utf8(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _report(error: Exception) -> int:
    from secure_api.cli.console import complain
    from secure_api.cli.errors import CliError, cause_of

    if isinstance(error, CliError):
        complain(str(error), error.hint)
        return error.code
    if isinstance(error, TyperException):
        if message := error.format_message().strip():  # there is none when the help was shown instead
            context = getattr(error, "ctx", None)
            complain(" ".join(message.split()), f"see {context.command_path} --help" if context else None)
        return error.exit_code
    for kind in type(error).__mro__:
        if (code := CODES.get(f"{kind.__module__}.{kind.__qualname__}")) is not None:
            complain(str(error), cause_of(error))
            return code
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename is not None else ""
        complain(f"{place}{error.strerror or error}")
        return ExitCode.FAILURE
    complain(f"a defect of this program: {type(error).__name__}: {error}", f"set {DEBUG}=1 to see where")
    return ExitCode.FAILURE
