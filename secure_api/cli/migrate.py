"""`secure-api migrate`: bring the database to this version."""

import asyncio
from shlex import quote

from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.options import Home, Json

EXAMPLES = "secure-api migrate --home ./consortium"


def migrate(home: Home = None, json: Json = False) -> None:
    """Bring the database to the schema of this version.

    Stop the server and make a backup first.
    """
    from secure_api.data.database import Database
    from secure_api.data.migrations import migrate as apply
    from secure_api.data.migrations import schema_revisions
    from secure_api.settings import Settings

    settings = Settings.load(home)
    if not settings.server_key_path.exists():
        raise CliError(
            f"{settings.home} is not initialized", hint=f"secure-api init --home {quote(str(settings.home))}"
        )

    made = settings.make_storage_key()

    async def run() -> tuple[str | None, str | None]:
        database = Database(settings.url)
        try:
            before, _ = await schema_revisions(database)
            await apply(database)
            return before, (await schema_revisions(database))[0]
        finally:
            await database.close()

    before, after = asyncio.run(run())
    if json:
        put_json({"before": before, "after": after})
        return
    if made is not None:
        say(f"made the storage key {made} (mode 0600): the secrets of sessions are encrypted under it")
    say(f"the database is at revision {after}" + (" already" if before == after else f", was at {before or 'none'}"))
