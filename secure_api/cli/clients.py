"""`secure-api clients`."""

import typer

from secure_api.cli.command import Command
from secure_api.cli.console import put_json, put_table
from secure_api.cli.options import Config, Json, Profile

app = typer.Typer(help="List the clients of an organization (admins).", no_args_is_help=True)


@app.command(
    "list",
    cls=Command,
    epilog="secure-api clients list --profile admin\n"
    "secure-api clients list --profile admin --json | jq '.[] | select(.role == \"analyst\")'",
)
def list_clients(profile: Profile = "admin", config: Config = None, json: Json = False) -> None:
    """List the clients of the profile's organization, one line a key."""
    from secure_api.cli.api_call import call

    found = call(profile, config, "GET", "/v1/clients")["clients"]
    if json:
        put_json(found)
        return
    put_table(
        ["client", "name", "role", "keyid", "algorithm", "status"],
        [
            [item["id"], item["name"] or "", item["role"], key["keyid"], key["algorithm"], key["status"]]
            for item in found
            for key in item["keys"]
        ],
    )
