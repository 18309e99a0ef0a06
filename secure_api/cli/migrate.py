"""`secure-api migrate`: bring the database to this version."""

import asyncio

from secure_api.cli.console import say
from secure_api.cli.options import Home

EXAMPLES = "Examples:\n\n`secure-api migrate --home ./consortium`"


def migrate(home: Home = None) -> None:
    """Bring the database to the schema of this version. Stop the server and back up first."""
    from secure_api.data.database import Database
    from secure_api.data.migrations import migrate as apply
    from secure_api.data.migrations import schema_revisions
    from secure_api.settings import Settings

    async def run() -> tuple[str | None, str | None]:
        database = Database(Settings.load(home).url)
        try:
            before, _ = await schema_revisions(database)
            await apply(database)
            return before, (await schema_revisions(database))[0]
        finally:
            await database.close()

    before, after = asyncio.run(run())
    say(f"the database is at revision {after}" + (" already" if before == after else f", was at {before or 'none'}"))
