"""`secure-api`: put the commands together, and turn every foreseen error into one line and an exit status."""

import os
import sys
from importlib import metadata
from typing import Annotated, NoReturn

import typer

from crypto import CryptoError
from secure_api import __version__
from secure_api.cli import (
    clients,
    demo,
    doctor,
    enroll,
    init,
    keys,
    ledger,
    migrate,
    organizations,
    request,
    serve,
    sign,
    tokens,
    verify,
)
from secure_api.cli.console import say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.client.errors import ClientError
from secure_api.domain.errors import DomainError

PLUGINS = "secure_api.commands"

app = typer.Typer(
    name="secure-api",
    help="A consortium API that believes only post-quantum signed requests.",
    epilog="Try first: secure-api demo",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OPERATE, MANAGE, USE = "Run a server", "Manage a consortium", "Sign and send"

app.command("demo", rich_help_panel=USE, epilog=demo.EXAMPLES)(demo.demo)
app.command("request", rich_help_panel=USE, epilog=request.EXAMPLES)(request.request)
app.command("sign", rich_help_panel=USE, epilog=sign.EXAMPLES)(sign.sign)
app.command("verify", rich_help_panel=USE, epilog=verify.EXAMPLES)(verify.verify)
app.command("enroll", rich_help_panel=USE, epilog=enroll.EXAMPLES)(enroll.enroll)
app.add_typer(keys.app, name="keys", rich_help_panel=USE)
app.add_typer(organizations.app, name="organizations", rich_help_panel=MANAGE)
app.add_typer(tokens.app, name="tokens", rich_help_panel=MANAGE)
app.add_typer(clients.app, name="clients", rich_help_panel=MANAGE)
app.command("init", rich_help_panel=OPERATE, epilog=init.EXAMPLES)(init.init)
app.command("serve", rich_help_panel=OPERATE, epilog=serve.EXAMPLES)(serve.serve)
app.command("migrate", rich_help_panel=OPERATE, epilog=migrate.EXAMPLES)(migrate.migrate)
app.add_typer(ledger.app, name="ledger", rich_help_panel=OPERATE)
app.command("doctor", rich_help_panel=OPERATE, epilog=doctor.EXAMPLES)(doctor.doctor)


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
    _load_plugins()
    try:
        app(standalone_mode=True)
    except CliError as error:
        _fail(str(error), error.code, error.hint)
    except (CryptoError, ClientError) as error:
        _fail(str(error), ExitCode.KEY)
    except DomainError as error:
        _fail(error.detail, ExitCode.FAILURE)
    except BrokenPipeError:
        # Nobody reads on; give the interpreter something to flush into and leave quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ExitCode.OK)


def _fail(message: str, code: ExitCode, hint: str | None = None) -> NoReturn:
    say(f"error: {message}" + (f"\nhint: {hint}" if hint else ""))
    sys.exit(code)


def _load_plugins() -> None:
    """Add the commands that other packages contribute (entry points of the group `secure_api.commands`)."""
    for entry in metadata.entry_points(group=PLUGINS):
        try:
            command = entry.load()
        except Exception as error:
            say(f"warning: the command {entry.name} cannot be loaded: {error}")
            continue
        app.add_typer(command, name=entry.name, rich_help_panel="More")
