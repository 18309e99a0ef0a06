"""`secure-api enroll`: turn a token and a key into a client and a profile."""

import os
import re
import shlex
import sys
from http import HTTPStatus
from typing import Annotated

import typer

from secure_api.cli.answer import Answer
from secure_api.cli.api_call import code_of, complaint, expect, send
from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_keys
from secure_api.cli.options import Config, Json, Keys, PassphraseFile, ServerKeyid
from secure_api.cli.presentation import presenting_body
from secure_api.cli.server_key import discover, keep, published_key, taken_on_trust
from secure_api.cli.target import server_url, target
from secure_api.cli.undo import Undo
from secure_api.client import ClientError, ClientProfile, ProfileStore, SignatureAuth

EXAMPLES = """\
secure-api enroll --url https://api.example.org --token sat_... --key key.pem --profile clinic-a
secure-api enroll --url https://api.example.org --token - --key pq.pem --key classic.pem --profile hybrid < token.txt
SECURE_API_TOKEN=sat_... secure-api enroll --url https://api.example.org --key key.pem --profile clinic-a
secure-api enroll --existing --url https://api.example.org --key key.pem --profile clinic-a   # on another machine
secure-api enroll --url https://api.example.org --token - --key key.pem --profile clinic-a \
--server-keyid=T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o < token.txt"""
PROFILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALREADY = "should the key be enrolled already, the same command with --existing writes its profile"
TOKEN_VARIABLE = "SECURE_API_TOKEN"  # noqa: S105 - the name of a variable


def enroll(
    url: Annotated[str, typer.Option("--url", metavar="URL", help="The server, like https://api.example.org.")],
    key: Keys,
    profile: Annotated[str, typer.Option("--profile", "-p", metavar="NAME", help="Name of the profile to write.")],
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="TOKEN", help=f"Enrollment token; - reads stdin, none reads {TOKEN_VARIABLE}."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="CLIENT", help="Client's name, for its admins.")] = None,
    existing: Annotated[
        bool, typer.Option("--existing", help="The key is enrolled already: write its profile only.")
    ] = False,
    server_keyid: ServerKeyid = None,
    seal: Annotated[
        bool | None,
        typer.Option("--seal/--no-seal", help="Encrypt the request to the server; done where the server offers it."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile of that name.")] = False,
    json: Json = False,
) -> None:
    """Turn a token and a key into a client, and write its profile.

    The request is signed by the key that it enrolls: that proves possession. The token works once. The server's key is
    kept with the profile, and every answer is held to it; --server-keyid says which one it must be.
    """
    url = server_url(url)
    store = ProfileStore(config)
    if PROFILE_NAME.fullmatch(profile) is None:
        raise CliError(
            f"{profile[:80]!r} is not a name for a profile", ExitCode.USAGE, "1 to 64 letters, digits, dots, _ and -"
        )
    if profile in store.load() and not force:
        raise CliError(f"there is a profile {profile} already", ExitCode.KEY, "take another name, or say --force")
    keys = read_keys(key, passphrase_file)
    store.prepare()  # a token works once: a profile that could not be written would lose it
    secret = None if existing else _token(token)
    discovery = discover(url)
    server = published_key(url, discovery, server_keyid)
    if seal is None:
        seal = bool(discovery.get("sealing"))
    auth = SignatureAuth(*keys, server_key=server, seal=seal)
    with Undo() as undo:
        server_file = keep(undo, store, profile, server)
        client = _find(url, auth) if secret is None else _enroll(url, auth, secret, name)
        written = ClientProfile(
            name=profile,
            url=url,
            keys=tuple(path.resolve() for path in key),
            passphrase_file=passphrase_file.resolve() if passphrase_file else None,
            organization=client["organization"],
            role=client["role"],
            server_key=server_file,
        )
        try:
            store.put(written)
        except ClientError as error:
            raise CliError(f"enrolled, but {error}", ExitCode.KEY, _ALREADY) from error
    if json:
        put_json(client)
    if server_keyid is None:
        say(taken_on_trust(url, server))
    if not json:
        say(f"{client['role']} of {client['organization']}: profile {profile} is ready")
        say(f"next: {shlex.join(['secure-api', 'request', 'GET', '/v1/clients/me', '--profile', profile])}")


def _enroll(url: str, auth: SignatureAuth, token: str, name: str | None) -> Answer:
    body = presenting_body(auth.keys, token=token, name=name)
    try:
        response = send("POST", target(url, "/v1/clients"), body, auth)
    except CliError as error:
        if error.code in {ExitCode.REFUSED, ExitCode.UNREACHABLE}:  # the request may have arrived
            error.hint = f"{error.hint}; {_ALREADY}"
        raise
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        # The answer says one thing of every reason; of an enrollment, the token is the likely one.
        request_id = response.headers.get("x-request-id", "unknown")
        hint = "is the token spent or expired? It works once: ask an admin for a new one. Or is this clock wrong? "
        hint += f"Only the server's log knows (request {request_id})"
        raise CliError("\n".join(complaint(response)), code_of(response), hint)
    return expect(response)


def _find(url: str, auth: SignatureAuth) -> Answer:
    return expect(send("GET", target(url, "/v1/clients/me"), b"", auth))


def _token(given: str | None) -> str:
    if given == "-":
        token = "" if sys.stdin is None else sys.stdin.readline()
    else:
        token = given or os.environ.get(TOKEN_VARIABLE, "")
    if not token.strip():
        raise CliError("an enrollment token is needed", ExitCode.USAGE, f"use --token, or set {TOKEN_VARIABLE}")
    return token.strip()
