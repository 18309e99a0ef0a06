"""`secure-api sign`: sign a request without sending it."""

import shlex
from pathlib import Path
from typing import Annotated

import httpx
import typer

from secure_api.cli.body import read_body, read_headers, read_method
from secure_api.cli.console import put, put_bytes, put_json
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_keys, read_profile
from secure_api.cli.options import AnyHost, Body, Config, Headers, PassphraseFile
from secure_api.cli.target import server_url, target
from secure_api.client import SignatureAuth

EXAMPLES = """\
secure-api sign GET https://api.example.org/v1/clients/me --key key.pem
secure-api sign POST /v1/datasets --profile clinic-a --json '{"name": "vitals"}' --curl
sh -c "$(secure-api sign GET /v1/clients/me --profile clinic-a --curl)"
secure-api sign GET /v1/clients/me --profile clinic-a --http | secure-api verify --key public.pem"""
SIGNED = ("content-type", "content-digest", "signature-input", "signature")


def sign(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, DELETE, ...")],
    url: Annotated[str, typer.Argument(metavar="URL", help="URL; with --profile a path is enough.")],
    profile: Annotated[str | None, typer.Option("--profile", "-p", metavar="NAME", help="Profile to sign as.")] = None,
    key: Annotated[
        list[Path] | None, typer.Option("--key", "-k", metavar="FILE", help="Private key (PEM); twice for hybrid.")
    ] = None,
    json: Body = None,
    header: Headers = None,
    lifetime: Annotated[
        int, typer.Option("--lifetime", metavar="SECONDS", min=1, max=300, help="Time to send it.")
    ] = 60,
    curl: Annotated[bool, typer.Option("--curl", help="Print a ready curl line.")] = False,
    http: Annotated[bool, typer.Option("--http", help="Print the whole request message, byte for byte.")] = False,
    as_json: Annotated[bool, typer.Option("--as-json", help="Print the header fields as JSON.")] = False,
    any_host: AnyHost = False,
    passphrase_file: PassphraseFile = None,
    config: Config = None,
) -> None:
    """Sign a request without sending it: header fields, a curl line, or the whole message.

    What is printed is good for one request within its lifetime: the server spends its nonce.
    """
    if (profile is None) == (not key):
        raise CliError("say either --profile NAME or --key FILE", ExitCode.USAGE)
    if curl + http + as_json > 1:
        raise CliError("--curl, --http and --as-json exclude each other", ExitCode.USAGE)
    method, fields, body = read_method(method), read_headers(header or []), read_body(json)
    if profile is not None:
        stored, keys = read_profile(profile, config)
        url = target(stored.url, url, any_host=any_host)
    else:
        if "://" not in url:
            raise CliError(f"{url} is not a whole URL", ExitCode.USAGE, "say --profile NAME to sign for a path")
        server_url(url.partition("?")[0].partition("#")[0])
        keys = read_keys(key or [], passphrase_file)
    request = _signed(method, url, body, fields, SignatureAuth(*keys, lifetime=lifetime))
    if curl:
        put(_curl_line(request, json))
    elif http:
        put_bytes(_message(request))
    else:
        signed = {name: request.headers[name] for name in SIGNED}
        if as_json:
            put_json(signed)
        else:
            put("\n".join(f"{name}: {value}" for name, value in signed.items()))


def _signed(method: str, url: str, body: bytes, fields: list[tuple[str, str]], auth: SignatureAuth) -> httpx.Request:
    headers = httpx.Headers(fields)
    headers.setdefault("Content-Type", "application/json")
    try:
        request = httpx.Request(method, url, content=body, headers=headers)
    except httpx.InvalidURL as error:
        raise CliError(f"{url}: {error}", ExitCode.USAGE) from error
    auth.sign(request)
    return request


def _curl_line(request: httpx.Request, body: str | None) -> str:
    words = ["curl", "-sS", "--globoff", "--path-as-is"]
    words += ["--head"] if request.method == "HEAD" else ["-X", request.method]
    for name, value in request.headers.items():
        if name not in {"host", "content-length"}:
            words += ["-H", f"{name}: {value}"]
    if body is not None:
        words += ["--data-binary", "@-" if body == "-" else body]
    return shlex.join([*words, str(request.url)])


def _message(request: httpx.Request) -> bytes:
    body = request.content
    headers = httpx.Headers(request.headers)
    headers["content-length"] = str(len(body))
    lines = [
        b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path),
        *(b"%b: %b" % (name.lower(), value) for name, value in headers.raw),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
