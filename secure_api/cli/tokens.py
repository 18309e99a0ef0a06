"""`secure-api tokens`."""

from typing import Annotated

import typer

from secure_api.cli.console import put, put_json, say
from secure_api.cli.duration import parse_duration
from secure_api.cli.options import Config, Json, Profile
from secure_api.domain.roles import Role

app = typer.Typer(help="Issue one-time enrollment tokens (admins).", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Issue one-time enrollment tokens (admins)."""


@app.command(
    epilog="Examples:\n\n`secure-api tokens create --organization clinic-a --role contributor`\n\n"
    "`secure-api tokens create --organization clinic-a --role analyst --expires-in 2h --json`"
)
def create(
    organization: Annotated[str, typer.Option("--organization", "-O", help="Organization to enroll in.")],
    role: Annotated[Role, typer.Option("--role", "-r", help="Role of the client that spends the token.")],
    expires_in: Annotated[str, typer.Option("--expires-in", help="Time to spend it: 90s, 30m, 24h, 7d.")] = "24h",
    profile: Profile = "admin",
    config: Config = None,
    json: Json = False,
) -> None:
    """Issue a token. It is shown this once, and works once."""
    from secure_api.cli.api_call import call
    from secure_api.client import ProfileStore

    issued = call(
        profile,
        config,
        "POST",
        "/v1/tokens",
        {"organization": organization, "role": role.value, "expires_in": parse_duration(expires_in)},
    )
    if json:
        put_json(issued)
        return
    put(issued["token"])
    url = ProfileStore(config).get(profile).url
    say(f"expires {issued['expires']}; its holder enrolls by:")
    say(f"secure-api enroll --url {url} --token {issued['token']} --key KEY.pem --profile {organization}")
