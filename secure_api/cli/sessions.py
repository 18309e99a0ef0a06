"""`secure-api sessions`: the client's own sessions."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

import typer

from secure_api.cli.command import Command, KeyidCommand
from secure_api.cli.console import put_json, put_table, say
from secure_api.cli.errors import CliError
from secure_api.cli.options import Config, Json, Profile

app = typer.Typer(help="List and end the client's sessions.", no_args_is_help=True)


@app.command(
    "list",
    cls=Command,
    epilog="secure-api sessions list --profile clinic-a\nsecure-api sessions list -p clinic-a --json | jq -r '.[].id'",
)
def list_sessions(profile: Profile, config: Config = None, json: Json = False) -> None:
    """List the active sessions of the calling client, the newest first."""
    from secure_api.cli.api_call import call

    found = call(profile, config, "GET", "/v1/sessions")["sessions"]
    if json:
        put_json(found)
        return
    times = ("created", "expires", "last_used")
    put_table(
        ["session", "suite", "created", "expires", "last used"],
        [[item["id"], item["suite"], *(_instant(item[name]) for name in times)] for item in found],
    )


@app.command(
    cls=KeyidCommand,
    epilog="secure-api sessions end 7yMkeFm5n0jzq2n1mVw8Qk3xM0e2hZcP --profile clinic-a\n"
    "secure-api sessions list -p clinic-a --json | jq -r '.[].id' | "
    "xargs -I ID secure-api sessions end ID -p clinic-a",
)
def end(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Name of the session.")],
    profile: Profile,
    config: Config = None,
    json: Json = False,
) -> None:
    """End a session: one's own, or any of the organization for an admin."""
    from secure_api.cli.api_call import call

    call(profile, config, "DELETE", f"/v1/sessions/{quote(session, safe='')}")
    if json:
        put_json({"id": session, "status": "ended"})
    else:
        say(f"{session} is over")


def _instant(seconds: object) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise CliError(f"the server's answer makes no sense: {seconds!r:.40} is no time") from error
