"""Request bodies and header fields as the command line gives them."""

import json
import re
import sys
from pathlib import Path
from typing import Final

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
MAX_BODY_BYTES: Final = 64 << 20  # the most that SECURE_API_MAX_BODY_BYTES may be
#: Fields that follow from the URL, the body or the signature.
_OURS: Final = {"host", "content-length", "transfer-encoding", "content-digest", "signature", "signature-input"}


def read_body(given: str | None) -> bytes:
    """Read the bytes of a JSON body (text, @file, or - for stdin), exactly as they will be sent.

    Only syntax is checked here, as a courtesy: what else makes JSON unacceptable, the server says with its place.

    Raises:
        CliError: the file cannot be read, or the text is not JSON.
    """
    if given is None:
        return b""
    if given in {"-", "@-"}:
        body = b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
    elif given.startswith("@"):
        try:
            with Path(given[1:]).open("rb") as stream:
                body = stream.read(MAX_BODY_BYTES + 1)
        except OSError as error:
            raise CliError(f"cannot read {given[1:]}: {error.strerror}", ExitCode.USAGE) from error
    else:
        body = given.encode()
    if len(body) > MAX_BODY_BYTES:
        raise CliError(f"no server takes a body of more than {MAX_BODY_BYTES} bytes", ExitCode.USAGE)
    try:
        # Numbers are not converted: int() has its own idea of how long one may be.
        json.loads(body.decode(), parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise CliError(f"--json is not JSON: {error}", ExitCode.USAGE) from error
    except (UnicodeDecodeError, RecursionError):
        pass
    return body


def read_headers(given: list[str]) -> list[tuple[str, str]]:
    """Read `Name: value` options.

    Raises:
        CliError: one has another form, or is not for the person to set.
    """
    fields = []
    for text in given:
        name, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or _TOKEN.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise CliError(f"{text!r} is not a header field", ExitCode.USAGE, "write Name:value, in printable ASCII")
        if name.lower() in _OURS:
            raise CliError(f"{name} follows from the request and its signature", ExitCode.USAGE)
        fields.append((name, value))
    return fields


def read_method(given: str) -> str:
    """Read a request's method; returns it in upper case.

    Raises:
        CliError: it is none.
    """
    if _TOKEN.fullmatch(given) is None:
        raise CliError(f"{given!r} is not a method", ExitCode.USAGE, "write GET, POST, ...")
    return given.upper()
