"""Bring a database to the schema of this version (Alembic), or tell that it is not there."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError

from secure_api.data.database import Database, translated
from secure_api.domain.errors import ConfigurationError


async def migrate(database: Database) -> None:
    """Apply every migration that is missing, or none.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
        ConfigurationError: it is of a newer version, or somebody else's tables are in the way.
    """
    try:
        async with translated(), database.engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except CommandError as error:
        found, newest = await schema_revisions(database)
        raise ConfigurationError(
            f"The database is at revision {found}, which this version, at {newest}, does not know."
        ) from error
    except (OperationalError, ProgrammingError) as error:
        raise ConfigurationError(f"The database cannot be migrated: {error.orig}") from error


async def schema_revisions(database: Database) -> tuple[str | None, str | None]:
    """Give (revision of the database, newest revision known here).

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    async with translated(), database.engine.connect() as connection:
        return await connection.run_sync(_revisions)


async def check_schema(database: Database) -> None:
    """Refuse a database of another version.

    Raises:
        ConfigurationError: migrations are missing, or newer than this version.
        DatabaseUnavailable: the database cannot be reached.
    """
    if database.path is not None and not database.path.exists():  # looking into it would make it
        raise ConfigurationError(f"There is no database {database.path}.")
    found, newest = await schema_revisions(database)
    if found != newest:
        raise ConfigurationError(
            f"The database is at revision {found or 'none'}, this version needs {newest}; run: secure-api migrate"
        )


def _upgrade(connection: Connection) -> None:
    with as_file(files("secure_api") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revisions(connection: Connection) -> tuple[str | None, str | None]:
    with as_file(files("secure_api") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        newest = ScriptDirectory.from_config(config).get_current_head()
    return MigrationContext.configure(connection).get_current_revision(), newest
