"""Request bodies as the command line gives them: text, @file, or - for stdin."""

import json
import sys
from pathlib import Path

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode


def read_body(given: str | None) -> bytes:
    """Read the bytes of a JSON body, exactly as they will be sent; empty when none was given.

    Raises:
        CliError: the file cannot be read, or the text is not JSON.
    """
    if given is None:
        return b""
    try:
        if given == "-":
            body = sys.stdin.buffer.read()
        elif given.startswith("@"):
            body = Path(given[1:]).read_bytes()
        else:
            body = given.encode()
    except OSError as error:
        raise CliError(f"cannot read {given[1:]}: {error.strerror}", ExitCode.USAGE) from error
    except UnicodeEncodeError as error:
        raise CliError("--json is not UTF-8", ExitCode.USAGE) from error
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CliError(f"--json is not JSON: {error}", ExitCode.USAGE) from error
    return body


def read_headers(given: list[str]) -> list[tuple[str, str]]:
    """Read `Name: value` options.

    Raises:
        CliError: one has another form.
    """
    fields = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not (name + value).isascii():
            raise CliError(f"{text!r} is not a header field", ExitCode.USAGE, "write Name: value, in ASCII")
        fields.append((name.strip(), value.strip()))
    return fields
