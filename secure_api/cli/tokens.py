"""`secure-api tokens`."""

import shlex
from typing import Annotated

import typer

from secure_api.cli.command import Command
from secure_api.cli.console import put, put_json, say, stdout
from secure_api.cli.duration import parse_duration
from secure_api.cli.options import Config, Json, Profile
from secure_api.domain.roles import Role

app = typer.Typer(help="Issue one-time enrollment tokens (admins).", no_args_is_help=True)


@app.command(
    cls=Command,
    epilog="secure-api tokens create --organization clinic-a --role contributor\n"
    "secure-api tokens create --organization clinic-a --role analyst --expires-in 2h --json\n"
    "secure-api tokens create -O clinic-a -r auditor | "
    "secure-api enroll --token - --url https://api.example.org --key key.pem --profile clinic-a",
)
def create(
    organization: Annotated[
        str, typer.Option("--organization", "-O", metavar="NAME", help="Organization to enroll in.")
    ],
    role: Annotated[Role, typer.Option("--role", "-r", help="Role of the client that spends the token.")],
    expires_in: Annotated[
        str, typer.Option("--expires-in", metavar="DURATION", help="Time to spend it: 90s, 30m, 24h, 7d.")
    ] = "24h",
    profile: Profile = "admin",
    config: Config = None,
    json: Json = False,
) -> None:
    """Issue a token. It is shown this once, and works once.

    Hand the server's keyid over with it: who enrolls with --server-keyid gives the token to that server alone.
    """
    from secure_api.cli.api_call import call
    from secure_api.client import ProfileStore

    issued = call(
        profile,
        config,
        "POST",
        "/v1/tokens",
        {"organization": organization, "role": role.value, "expires_in": parse_duration(expires_in)},
    )
    stored = ProfileStore(config).get(profile)
    server = stored.read_server_key()
    if json:
        put_json(issued | {"server_keyid": None if server is None else server.keyid})
        return
    put(issued["token"])
    shown = issued["token"] if stdout.is_terminal else "TOKEN"  # stderr of a script is kept where secrets are not
    command = ["secure-api", "enroll", "--url", stored.url, "--token", shown]
    command += ["--key", "KEY.pem", "--profile", organization]
    if server is not None:
        command.append(f"--server-keyid={server.keyid}")  # a keyid may begin with a hyphen
    say(f"good until {issued['expires']}; whoever shall have it enrolls by:")
    say(f"  {shlex.join(command)}")
