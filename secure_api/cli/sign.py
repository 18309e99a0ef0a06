"""`secure-api sign`: the signed header fields of a request, for curl or anything else."""

import secrets
import shlex
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from crypto import sign_request
from secure_api.cli.api_call import join
from secure_api.cli.body import read_body
from secure_api.cli.console import put, put_json
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_keys, read_profile
from secure_api.cli.options import Config, PassphraseFile
from secure_api.client.signature_auth import signable

EXAMPLES = (
    "Examples:\n\n`secure-api sign POST https://api.example.org/v1/datasets --key key.pem --json @body.json --curl`\n\n"
    "`secure-api sign GET /v1/clients/me --profile clinic-a --http > request.http`"
)


def sign(
    method: Annotated[str, typer.Argument(help="GET, POST, DELETE, ...")],
    url: Annotated[str, typer.Argument(help="URL; with --profile a path is enough.")],
    profile: Annotated[str | None, typer.Option("--profile", "-p", help="Profile to sign as.")] = None,
    key: Annotated[list[Path] | None, typer.Option("--key", "-k", help="Private key; twice for hybrid.")] = None,
    body: Annotated[str | None, typer.Option("--json", "-j", metavar="TEXT|@FILE|-", help="JSON body.")] = None,
    lifetime: Annotated[int, typer.Option("--lifetime", min=1, max=300, help="Seconds that it is valid.")] = 60,
    curl: Annotated[bool, typer.Option("--curl", help="Print a ready curl line.")] = False,
    http: Annotated[bool, typer.Option("--http", help="Print the whole request message.")] = False,
    as_json: Annotated[bool, typer.Option("--as-json", help="Print the fields as JSON.")] = False,
    passphrase_file: PassphraseFile = None,
    config: Config = None,
) -> None:
    """Sign a request without sending it: prints the header fields to add."""
    if (profile is None) == (not key):
        raise CliError("say either --profile NAME or --key FILE", ExitCode.USAGE)
    content = read_body(body)
    if profile is not None:
        stored, keys = read_profile(profile, config)
        url = join(stored.url, url)
    else:
        keys = read_keys(key or [], passphrase_file)
    try:
        request = httpx.Request(method.upper(), url, content=content, headers={"Content-Type": "application/json"})
        if not request.url.host:
            raise CliError(f"{url} is not a whole URL", ExitCode.USAGE, "say --profile NAME to sign for a path")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise CliError(f"{url}: {error}", ExitCode.USAGE) from error
    fields = [
        ("content-type", "application/json"),
        *sign_request(
            signable(request),
            content,
            keys,
            created=int(time.time()),
            lifetime=lifetime,
            nonces=[secrets.token_urlsafe(16) for _ in keys],
        ),
    ]
    if as_json:
        put_json(dict(fields))
    elif curl:
        put(_curl_line(request, fields, body))
    elif http:
        put(_message(request, fields, content))
    else:
        put("\n".join(f"{name}: {value}" for name, value in fields))


def _curl_line(request: httpx.Request, fields: list[tuple[str, str]], body: str | None) -> str:
    words = ["curl", "-sS", "-X", request.method, str(request.url)]
    for name, value in fields:
        words += ["-H", f"{name}: {value}"]
    if body is not None:
        words += ["--data-binary", "@-" if body == "-" else body]
    return shlex.join(words)


def _message(request: httpx.Request, fields: list[tuple[str, str]], content: bytes) -> str:
    head = [
        f"{request.method} {request.url.raw_path.decode()} HTTP/1.1",
        f"host: {request.headers['Host']}",
        *(f"{name}: {value}" for name, value in fields),
        f"content-length: {len(content)}",
    ]
    return "\r\n".join(head) + "\r\n\r\n" + content.decode()
