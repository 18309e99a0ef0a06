"""Which servers could be started here: for the record of the environment."""

from contextlib import suppress

from experiments.errors import Unavailable
from experiments.instances.postgresql import installation
from experiments.instances.redis import program_of_redis
from experiments.instances.version import version_of


def installed_versions() -> dict[str, str]:
    """Return the versions of the servers that could be started here, by name; starts none.

    The names are "PostgreSQL" and "Redis", or "Valkey" where that takes the place of Redis.
    """
    found: dict[str, str | None] = {}
    with suppress(Unavailable):
        found["PostgreSQL"] = version_of(installation() / "bin" / "postgres")
    with suppress(Unavailable):
        program = program_of_redis()
        found["Valkey" if program.name.startswith("valkey") else "Redis"] = version_of(program)
    return {name: version for name, version in found.items() if version}
