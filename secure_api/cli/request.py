"""`secure-api request`: sign, send, show."""

import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.json import JSON

from crypto import parse_signature_input, signature_base
from secure_api.cli.api_call import TIMEOUT, code_of, complaint, hint_for, send, server_key_of
from secure_api.cli.body import read_body, read_headers, read_method
from secure_api.cli.console import complain, printable, put_bytes, say, stderr, stdout
from secure_api.cli.errors import CliError
from secure_api.cli.keyring import read_profile
from secure_api.cli.options import AnyHost, Body, Config, Headers, Profile
from secure_api.cli.target import same_server, target
from secure_api.client import SignatureAuth
from secure_api.client.exchange import signable

EXAMPLES = """\
secure-api request GET /v1/clients/me --profile clinic-a
secure-api request POST /v1/datasets -p clinic-a --json '{"name": "vitals"}'
secure-api request POST /v1/datasets/vitals/records -p clinic-a --json @records.json --verbose
jq -c .records dump.json | secure-api request POST /v1/datasets/vitals/records -p clinic-a --json -
secure-api request GET '/v1/datasets/vitals/records?limit=1000' -p clinic-a --output page.json"""
MAX_SHOWN = 400  # characters of a field's value


def request(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, DELETE, ...")],
    path: Annotated[str, typer.Argument(metavar="PATH_OR_URL", help="Path on the profile's server, or a URL there.")],
    profile: Profile,
    json: Body = None,
    header: Headers = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the body of a success here.")
    ] = None,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=0.1, max=86_400, help="Time to wait for an answer."),
    ] = TIMEOUT,
    any_host: AnyHost = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the request, what was signed, and the answer's head.")
    ] = False,
    config: Config = None,
) -> None:
    """Send a signed request; the body of the answer goes to stdout.

    The exit status is 0 for 2xx, 4 for 4xx, 5 for 5xx, 6 when there is no answer. Without --verbose, only a
    failure says its status, on stderr.
    """
    method, fields, body = read_method(method), read_headers(header or []), read_body(json)
    stored, keys = read_profile(profile, config)
    url = target(stored.url, path, any_host=any_host)
    server_key = server_key_of(stored) if same_server(url, stored.url) else None
    began = time.perf_counter()
    response = send(method, url, body, SignatureAuth(*keys, server_key=server_key), fields, timeout=timeout)
    if verbose:
        _show_exchange(response, time.perf_counter() - began)
    if output is not None and response.is_success:
        _save(output, response.content)
    else:
        _show_body(response)
    if not response.is_success:
        complain("\n".join(complaint(response)), hint_for(response))
        raise typer.Exit(code_of(response))
    if not response.content and stderr.is_terminal and not verbose:
        say(f"HTTP {response.status_code} {response.reason_phrase}")


def _show_exchange(response: httpx.Response, seconds: float) -> None:
    sent = response.request
    say(f"> {sent.method} {sent.url.raw_path.decode()}")
    _show_fields(">", sent.headers)
    for entry in parse_signature_input(sent.headers["signature-input"].encode()).values():
        say(f"\nsigned as {entry.label}:\n{signature_base(signable(sent), entry).decode()}")
    say(f"\n< HTTP {response.status_code} {response.reason_phrase} ({seconds * 1e3:.1f} ms)")
    _show_fields("<", response.headers)
    say("")


def _show_fields(mark: str, headers: httpx.Headers) -> None:
    for name, value in headers.multi_items():
        say(f"{mark} {name}: {value if len(value) <= MAX_SHOWN else f'{value[:80]}... ({len(value)} characters)'}")


def _show_body(response: httpx.Response) -> None:
    if stdout.is_terminal and _is_json(response):
        try:
            stdout.print(JSON(printable(response.text)))
            return
        except (ValueError, RecursionError):
            pass
    if response.content:
        put_bytes(response.content)


def _save(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CliError(f"cannot write {output}: {error.strerror}") from error


def _is_json(response: httpx.Response) -> bool:
    media_type: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
