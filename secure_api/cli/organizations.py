"""`secure-api organizations`."""

import shlex
from typing import Annotated

import typer

from secure_api.cli.command import Command
from secure_api.cli.console import put, put_json, put_table, say
from secure_api.cli.options import Config, Json, Profile

app = typer.Typer(help="Create and list organizations (the operator's admins).", no_args_is_help=True)


@app.command(
    cls=Command,
    epilog="secure-api organizations create clinic-a\nsecure-api organizations create clinic-a --profile admin --json",
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, and behind the first _ . - too.")],
    profile: Profile = "admin",
    config: Config = None,
    json: Json = False,
) -> None:
    """Create an organization; prints its id."""
    from secure_api.cli.api_call import call

    made = call(profile, config, "POST", "/v1/organizations", {"name": name})
    if json:
        put_json(made)
        return
    put(made["id"])
    command = ["secure-api", "tokens", "create", "--organization", name, "--role", "contributor", "--profile", profile]
    say(f"next: {shlex.join(command)}")


@app.command(
    "list", cls=Command, epilog="secure-api organizations list\nsecure-api organizations list --json | jq -r '.[].name'"
)
def list_organizations(profile: Profile = "admin", config: Config = None, json: Json = False) -> None:
    """List the organizations."""
    from secure_api.cli.api_call import call

    found = call(profile, config, "GET", "/v1/organizations")["organizations"]
    if json:
        put_json(found)
    else:
        put_table(["name", "id", "created"], [[item["name"], item["id"], item["created"]] for item in found])
