"""`secure-api request`: sign, send, show."""

import shlex
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.json import JSON

from crypto import CryptoError, KemAlgorithm
from secure_api.cli.api_call import code_of, complaint, hint_for, server_key_of
from secure_api.cli.body import read_body, read_headers, read_method
from secure_api.cli.channel import TIMEOUT, Channel
from secure_api.cli.console import complain, printable, put_bytes, say, stderr, stdout, warn
from secure_api.cli.errors import CliError
from secure_api.cli.exchange_view import show_exchange
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_profile
from secure_api.cli.options import AnyHost, Body, Config, Headers, Profile
from secure_api.cli.repetition import Repetition
from secure_api.cli.target import same_server, target
from secure_api.client import Session, SignatureAuth

EXAMPLES = """\
secure-api request GET /v1/clients/me --profile clinic-a
secure-api request POST /v1/datasets -p clinic-a --json '{"name": "vitals"}'
secure-api request POST /v1/datasets/vitals/records -p clinic-a --json @records.json --verbose
jq -c .records dump.json | secure-api request POST /v1/datasets/vitals/records -p clinic-a --json -
secure-api request GET '/v1/datasets/vitals/records?limit=1000' -p clinic-a --output page.json
secure-api request POST /v1/datasets/vitals/records -p clinic-a --json @record.json --session --seal --verbose
secure-api request GET /v1/clients/me -p clinic-a --repeat 200 --output /dev/null
secure-api request GET /v1/clients/me -p clinic-a --repeat 200 --session --suite ml-kem-768 --output /dev/null"""


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
    session: Annotated[bool, typer.Option("--session", help="Open a session, send within it, and end it.")] = False,
    suite: Annotated[
        KemAlgorithm | None, typer.Option("--suite", help="Key exchange of the session; x-wing unless given.")
    ] = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="Encrypt the body to the server, and the answer to this client.")
    ] = False,
    times: Annotated[
        int, typer.Option("--repeat", metavar="N", min=1, max=1_000_000, help="Send it N times; says what it took.")
    ] = 1,
    any_host: AnyHost = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what was sent, signed and sealed, and what that cost.")
    ] = False,
    config: Config = None,
) -> None:
    """Send a signed request; the body of the answer goes to stdout.

    The exit status is 0 for 2xx, 4 for 4xx, 5 for 5xx, 6 when there is no answer, 8 when it is not the server's own.
    Without --verbose, only a failure says its status, on stderr. With --repeat, the first failure or Ctrl-C ends it,
    and what is shown is the last answer.
    """
    if suite is not None and not session:
        raise CliError("--suite is for a session", ExitCode.USAGE, "say --session, too")
    method, fields, body = read_method(method), read_headers(header or []), read_body(json)
    stored, keys = read_profile(profile, config)
    url = target(stored.url, path, any_host=any_host)
    own = same_server(url, stored.url)
    server_key = server_key_of(stored) if own else None
    if server_key is None and (session or seal):
        hint = shlex.join(["secure-api", "keys", "pin", "--profile", profile]) if own else "that is another server"
        raise CliError("--session and --seal need the public key of the server", ExitCode.KEY, hint)
    auth = SignatureAuth(*keys, server_key=server_key, seal=seal and not session)
    opened = Session(auth, suite=suite or KemAlgorithm.X_WING, seal=seal) if session else None
    signed = "in a session" if session else f"signed by {' and '.join(key.algorithm for key in keys)}"
    how, done = signed + (", sealed" if seal else ""), Repetition()
    with Channel(url, opened or auth, timeout=timeout) as channel:
        try:
            response = done.repeat(times, lambda: channel.send(method, url, body, fields))
        except BaseException:
            if times > 1:
                done.summarize(how)
            raise
        finally:
            if opened is not None:
                _end(channel, opened)
    if verbose:
        show_exchange(response, done.seconds[-1])
    if times > 1:
        done.summarize(how)
    if output is not None and response.is_success:
        _save(output, response.content)
    else:
        _show_body(response)
    if not response.is_success:
        complain("\n".join(complaint(response)), hint_for(response))
        raise typer.Exit(code_of(response))
    if not response.content and stderr.is_terminal and not verbose:
        say(f"HTTP {response.status_code} {response.reason_phrase}")


def _end(channel: Channel, opened: Session) -> None:
    """End the session; that it could not be told is worth a warning, since it ends by itself."""
    try:
        channel.end(opened)
    except (CliError, CryptoError) as error:
        warn(f"the session was not ended, and is over when it was idle for a while: {error}")


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
