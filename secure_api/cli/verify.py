"""`secure-api verify`: check a raw request offline, and say what the server would not."""

import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from crypto import InvalidSignature, Profile, PublicKey, SignedRequest, VerificationError, open_request, verify_request
from secure_api.cli.console import put, put_json, warn
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_public
from secure_api.cli.options import Json, PassphraseFile
from secure_api.cli.request_message import MAX_BYTES, read_message

EXAMPLES = """\
secure-api sign GET /v1/clients/me --profile clinic-a --http | secure-api verify --key public.pem
secure-api verify --key public.jwk --at 2026-11-22T09:30:00Z request.http
secure-api verify --key pq.pem --key classic.pem --json request.http | jq -r .reason"""


def verify(
    key: Annotated[list[Path], typer.Option("--key", "-k", metavar="FILE", help="Public key, PEM or JWK; repeatable.")],
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Raw HTTP/1.1 request message; - is stdin.")] = "-",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Time to judge by (RFC 3339); now unless given.")
    ] = None,
    scheme: Annotated[
        Literal["https", "http"], typer.Option("--scheme", help="Scheme of the URL that the client used.")
    ] = "https",
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Verify a signed request message offline, and name the reason when it fails.

    The exit status is 1 when the request is not to be believed. A nonce that was spent before is not known here.
    """
    keys = {item.keyid: item for item in (read_public(path, passphrase_file) for path in key)}
    now = _moment(at)
    request, body = read_message(_read(file), scheme)
    try:
        signed = open_request(request, Profile(), now)
        verify_request(signed, body, keys)
    except VerificationError as error:
        detail = error.detail
        if isinstance(error, InvalidSignature):  # its detail is the label alone
            detail = detail.rstrip(": ") + ": no signature of this request by that key"
        if json:
            put_json({"valid": False, "reason": error.reason, "detail": detail})
        else:
            put(f"NOT VALID: {error.reason}: {detail}")
        raise typer.Exit(ExitCode.FAILURE) from None
    _show(signed, keys, json)


def _show(signed: SignedRequest, keys: Mapping[str, PublicKey], json: bool) -> None:
    unused = sorted(keys.keys() - {item.keyid for item in signed.labels})
    if json:
        members = [
            {
                "label": item.label,
                "keyid": item.keyid,
                "algorithm": item.algorithm.value,
                "created": item.created,
                "expires": item.expires,
            }
            for item in signed.labels
        ]
        put_json({"valid": True, "signatures": members, "unused_keys": unused})
        return
    for item in signed.labels:
        put(f"valid: {item.label} by {item.keyid} ({item.algorithm.value})")
    for keyid in unused:
        warn(f"no signature by {keyid}")


def _read(file: str) -> bytes:
    try:
        if file == "-":
            message = b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                message = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}", ExitCode.USAGE) from error
    if len(message) > MAX_BYTES:
        raise CliError(f"a request message may have {MAX_BYTES} bytes here", ExitCode.USAGE)
    return message


def _moment(at: str | None) -> int:
    if at is None:
        return int(time.time())
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is not None:
            return int(moment.timestamp())
    except (ValueError, OverflowError):
        pass
    raise CliError(f"{at!r} is not a time with its offset", ExitCode.USAGE, "write 2026-11-22T09:30:00Z")
