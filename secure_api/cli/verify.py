"""`secure-api verify`: check a raw request offline, and say what the server would not."""

import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from crypto import Profile, Request, VerificationError, open_request, verify_request
from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keys import read_public
from secure_api.cli.options import Json, PassphraseFile

EXAMPLES = (
    "Examples:\n\n`secure-api sign GET /v1/clients/me -p clinic-a --http | secure-api verify --key public.pem -`\n\n"
    "`secure-api verify --key public.jwk --at 2026-11-22T09:30:00Z request.http`"
)
MAX_BYTES = 16 << 20


def verify(
    file: Annotated[str, typer.Argument(help="Raw HTTP/1.1 request message; - is stdin.")],
    key: Annotated[list[Path], typer.Option("--key", "-k", help="Public key, PEM or JWK; twice for hybrid.")],
    at: Annotated[str | None, typer.Option("--at", help="Time to judge by (RFC 3339); now unless given.")] = None,
    scheme: Annotated[str, typer.Option("--scheme", help="Scheme of the client's URL.")] = "https",
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Verify a signed request message offline, and name the reason when it fails (exit status 1)."""
    keys = {item.keyid: item for item in (read_public(path, passphrase_file) for path in key)}
    request, body = parse_message(_read(file), scheme)
    try:
        signed = open_request(request, Profile(), _moment(at))
        verify_request(signed, body, keys)
    except VerificationError as error:
        if json:
            put_json({"valid": False, "reason": error.reason, "detail": str(error)})
        else:
            say(f"NOT VALID ({error.reason}): {error}")
        raise typer.Exit(ExitCode.FAILURE) from None
    labels = [{"label": item.label, "keyid": item.keyid, "algorithm": item.algorithm.value} for item in signed.labels]
    if json:
        put_json({"valid": True, "signatures": labels})
    else:
        for item in labels:
            say(f"valid: {item['label']} by {item['keyid']} ({item['algorithm']})")


def parse_message(message: bytes, scheme: str) -> tuple[Request, bytes]:
    """Read a request message: head in CRLF or LF lines, an empty line, the body.

    Raises:
        CliError: it is none.
    """
    separator = re.search(rb"\r?\n\r?\n", message)
    head, body = (message, b"") if separator is None else (message[: separator.start()], message[separator.end() :])
    first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    start = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.[01]", first)
    fields = [line.partition(b":") for line in lines if line]
    if start is None or not all(colon and name for name, colon, _ in fields):
        raise CliError("that is not an HTTP/1.1 request message", ExitCode.USAGE)
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in fields)
    values = dict(headers)
    try:
        path, _, query = start[2].decode("ascii").partition("?")
        length = int(values.get(b"content-length", str(len(body)).encode()))
        request = Request(
            method=start[1].decode("ascii"),
            scheme=scheme,
            authority=values.get(b"host", b"").decode("ascii"),
            path=path,
            query=query,
            headers=headers,
        )
    except ValueError as error:
        raise CliError("that is not an HTTP/1.1 request message", ExitCode.USAGE) from error
    return request, body[:length]


def _read(file: str) -> bytes:
    try:
        message = sys.stdin.buffer.read(MAX_BYTES) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}", ExitCode.USAGE) from error
    return message


def _moment(at: str | None) -> int:
    if at is None:
        return int(time.time())
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise CliError(f"{at!r} is not a time", ExitCode.USAGE, "write 2026-11-22T09:30:00Z") from error
    if moment.tzinfo is None:
        raise CliError(f"{at!r} has no offset", ExitCode.USAGE, "write 2026-11-22T09:30:00Z")
    return int(moment.timestamp())
