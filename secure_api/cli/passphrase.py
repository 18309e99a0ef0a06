"""Where a passphrase comes from: a file, the environment, or a prompt on a terminal."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import typer

from crypto import read_secret_file
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

VARIABLE: Final = "SECURE_API_PASSPHRASE"
MIN_LENGTH: Final = 12  # characters


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase, and where it came from, for whoever is told that it is wrong."""

    secret: bytes = field(repr=False)
    source: str


def known_passphrase(file: Path | None) -> Passphrase | None:
    """Give the passphrase that was handed over; None when there is none.

    Raises:
        CliError: the file is empty.
        CryptoError: the file cannot be read, or others can read it.
    """
    if file is not None:
        passphrase = read_secret_file(file).strip()
        if not passphrase:
            raise CliError(f"{file} is empty", ExitCode.KEY)
        return Passphrase(passphrase, f"came from {file}")
    variable = os.environ.get(VARIABLE)
    return Passphrase(os.fsencode(variable), f"came from {VARIABLE}") if variable else None


def new_passphrase(file: Path | None, what: str) -> bytes | None:
    """Give the passphrase for a key to be written: handed over, or asked for twice; None without a terminal.

    Raises:
        CliError: it is shorter than 12 characters, or the file is empty.
    """
    known = known_passphrase(file)
    passphrase = None if known is None else known.secret
    if passphrase is None and _can_ask():
        passphrase = _ask(f"Passphrase for {what} ({MIN_LENGTH} characters at least)", twice=True)
    if passphrase is not None and len(passphrase.decode(errors="replace")) < MIN_LENGTH:
        raise CliError(f"a passphrase must have {MIN_LENGTH} characters at least", ExitCode.KEY)
    return passphrase


def opening_passphrase(file: Path | None, what: str) -> Passphrase | None:
    """Give the passphrase that opens a key: handed over, or asked for; None without a terminal.

    Raises:
        CliError: the file is empty.
    """
    passphrase = known_passphrase(file)
    if passphrase is None and _can_ask():
        passphrase = Passphrase(_ask(f"Passphrase of {what}", twice=False), "was entered here")
    return passphrase


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _ask(question: str, *, twice: bool) -> bytes:
    entered: str = typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
    return entered.encode(errors="surrogateescape")
