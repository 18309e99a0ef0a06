"""`secure-api migrate`: bring the database to this version."""

import asyncio
from shlex import quote
from typing import Annotated

import typer

from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.options import Home, Json

EXAMPLES = """\
secure-api migrate --home ./consortium
secure-api migrate --home ./consortium --new-storage-key   # when the old one is lost, or somebody else has it"""


def migrate(
    home: Home = None,
    new_storage_key: Annotated[
        bool,
        typer.Option("--new-storage-key", help="Replace the storage key; every session ends, clients open new ones."),
    ] = False,
    json: Json = False,
) -> None:
    """Bring the database to the schema of this version.

    Stop the server and make a backup first.
    """
    from secure_api.data.database import Database
    from secure_api.data.migrations import migrate as apply
    from secure_api.data.migrations import schema_revisions
    from secure_api.services.secret_check import forget_secrets
    from secure_api.settings import Settings

    settings = Settings.load(home)
    if not settings.server_key_path.exists():
        raise CliError(
            f"{settings.home} is not initialized", hint=f"secure-api init --home {quote(str(settings.home))}"
        )

    made = settings.make_storage_key()

    async def run() -> tuple[str | None, str | None, int | None]:
        database = Database(settings.url)
        try:
            before, _ = await schema_revisions(database)
            await apply(database)
            after = (await schema_revisions(database))[0]
            # The secrets go first: a key without secrets is no harm, secrets without their key stop the server.
            return before, after, await forget_secrets(database) if new_storage_key else None
        finally:
            await database.close()

    before, after, ended = asyncio.run(run())
    if ended is not None:
        made = settings.make_storage_key(anew=True) or made
    if json:
        put_json({"before": before, "after": after} | ({} if ended is None else {"sessions_ended": ended}))
        return
    if made is not None:
        say(f"made the storage key {made} (mode 0600): the secrets of sessions are encrypted under it")
    if ended is not None:
        say(f"{ended} sessions ended; clients open new ones by themselves")
    say(f"the database is at revision {after}" + (" already" if before == after else f", was at {before or 'none'}"))
