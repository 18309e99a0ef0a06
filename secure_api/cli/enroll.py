"""`secure-api enroll`: turn a token and a key into a client and a profile."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_keys
from secure_api.cli.keys import enrollment_body
from secure_api.cli.options import Config, Json, PassphraseFile

EXAMPLES = (
    "Examples:\n\n"
    "`secure-api enroll --url https://api.example.org --token sat_... --key key.pem --profile clinic-a`\n\n"
    "`secure-api enroll --url ... --token - --key pq.pem --key classic.pem --profile hybrid < token.txt`"
)
TOKEN_VARIABLE = "SECURE_API_TOKEN"  # noqa: S105 - the name of a variable


def enroll(
    url: Annotated[str, typer.Option("--url", help="The server, like https://api.example.org.")],
    key: Annotated[list[Path], typer.Option("--key", "-k", help="Private key; twice for a hybrid pair.")],
    profile: Annotated[str, typer.Option("--profile", "-p", help="Name of the profile to write.")],
    token: Annotated[
        str | None, typer.Option("--token", help=f"Enrollment token; - reads stdin, else {TOKEN_VARIABLE}.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the client, for its admins.")] = None,
    passphrase_file: PassphraseFile = None,
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a profile of that name.")] = False,
    json: Json = False,
) -> None:
    """Enroll a client: prove possession of the key, spend the token, write the profile."""
    from secure_api.cli.api_call import check, send
    from secure_api.client import ClientProfile, ProfileStore, SignatureAuth

    store = ProfileStore(config)
    if profile in store.load() and not force:
        raise CliError(f"there is a profile {profile} already", ExitCode.KEY, "take another name, or say --force")
    keys = read_keys(key, passphrase_file)
    body = enrollment_body(_token(token), name, keys)
    response = send(url, "POST", "/v1/clients", body, SignatureAuth(*keys))
    check(response)
    client = response.json()
    store.put(
        ClientProfile(
            name=profile,
            url=url,
            keys=tuple(path.resolve() for path in key),
            passphrase_file=passphrase_file.resolve() if passphrase_file else None,
            organization=client["organization"],
            role=client["role"],
        )
    )
    if json:
        put_json(client)
    else:
        say(f"enrolled as {client['role']} of {client['organization']}; profile {profile} is ready:")
        say(f"secure-api request GET /v1/clients/me --profile {profile}")


def _token(given: str | None) -> str:
    token = sys.stdin.readline() if given == "-" else given or os.environ.get(TOKEN_VARIABLE, "")
    if not token.strip():
        raise CliError("an enrollment token is needed", ExitCode.USAGE, f"use --token, or set {TOKEN_VARIABLE}")
    return token.strip()
