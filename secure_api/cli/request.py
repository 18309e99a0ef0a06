"""`secure-api request`: sign, send, show."""

import sys
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.json import JSON

from crypto import signature_base
from crypto.http_signatures import parse_signature_input
from secure_api.cli.api_call import TIMEOUT, code_of, join, send
from secure_api.cli.body import read_body, read_headers
from secure_api.cli.console import say, stderr, stdout
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_profile
from secure_api.cli.options import Config, Profile
from secure_api.client import Problem, SignatureAuth
from secure_api.client.signature_auth import signable

EXAMPLES = (
    "Examples:\n\n`secure-api request GET /v1/clients/me --profile clinic-a`\n\n"
    "`secure-api request POST /v1/datasets/vitals/records -p clinic-a --json @records.json --verbose`\n\n"
    "`jq -c .records dump.json | secure-api request POST /v1/datasets/vitals/records -p clinic-a --json -`"
)


def request(
    method: Annotated[str, typer.Argument(help="GET, POST, DELETE, ...")],
    path: Annotated[str, typer.Argument(metavar="PATH_OR_URL", help="Path on the profile's server, or a URL there.")],
    profile: Profile,
    json: Annotated[
        str | None, typer.Option("--json", "-j", metavar="TEXT|@FILE|-", help="JSON body, sent byte for byte.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="Another header field.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the response's body here.", dir_okay=False)
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait.")] = TIMEOUT,
    any_host: Annotated[
        bool, typer.Option("--any-host", help="Sign for a URL of another server than the profile's.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the request, the signature base and the response's head.")
    ] = False,
    config: Config = None,
) -> None:
    """Send a signed request. The body goes to stdout; exit status 0 for 2xx, 4 for 4xx, 5 for 5xx."""
    body = read_body(json)
    fields = read_headers(header or [])
    stored, keys = read_profile(profile, config)
    refuse_foreign(stored.url, path, any_host)
    auth = SignatureAuth(*keys)
    began = time.perf_counter()
    response = send(stored.url, method.upper(), path, body, auth, fields, timeout=timeout)
    if verbose:
        _show_exchange(response, time.perf_counter() - began)
    _show_body(response, output)
    if not response.is_success:
        problem = Problem.parse(response.headers.get("content-type", ""), response.content)
        lines = [] if problem is None else problem.lines()
        say("\n".join([f"HTTP {response.status_code} {response.reason_phrase}", *lines]))
        raise typer.Exit(code_of(response))


def refuse_foreign(url: str, path: str, allowed: bool) -> None:
    """Refuse to sign for another server than the profile's: a signature is worth something to whoever gets it.

    Raises:
        CliError: the target is another server.
    """
    try:
        mine, target = httpx.URL(url), httpx.URL(join(url, path))
    except httpx.InvalidURL as error:
        raise CliError(f"{path}: {error}", ExitCode.USAGE) from error
    if not allowed and (mine.scheme, mine.netloc) != (target.scheme, target.netloc):
        raise CliError(
            f"{path} is not on the profile's server {url}", ExitCode.USAGE, "say --any-host to sign for it anyway"
        )


def _show_exchange(response: httpx.Response, seconds: float) -> None:
    sent = response.request
    say(f"> {sent.method} {sent.url.raw_path.decode()}")
    for name, value in sent.headers.items():
        say(f"> {name}: {value if len(value) <= 400 else value[:80] + f'... ({len(value)} characters)'}")
    for entry in parse_signature_input(sent.headers["signature-input"].encode()).values():
        say(f"\nsignature base of {entry.label}:")
        say(signature_base(signable(sent), entry).decode())
    say(f"\n< HTTP {response.status_code} {response.reason_phrase} ({seconds * 1e3:.1f} ms)")
    for name, value in response.headers.items():
        say(f"< {name}: {value}")
    stderr.print()


def _show_body(response: httpx.Response, output: Path | None) -> None:
    if output is not None:
        try:
            output.write_bytes(response.content)
        except OSError as error:
            raise CliError(f"cannot write {output}: {error.strerror}") from error
    elif stdout.is_terminal and "json" in response.headers.get("content-type", ""):
        try:
            stdout.print(JSON(response.text))
        except ValueError:
            stdout.print(response.text, markup=False)
    else:
        sys.stdout.buffer.write(response.content)
        if response.content and stdout.is_terminal:
            sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()
