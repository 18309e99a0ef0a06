"""Where a server's state is that is not in its home: one PostgreSQL and one Redis for all servers of this process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from experiments.instances.postgresql import PostgresqlServer, postgresql
from experiments.instances.redis import RedisServer, redis
from experiments.servers.protection import Store


@dataclass(slots=True)
class _Shared:
    """What runs, and for how many servers."""

    stack: ExitStack = field(default_factory=ExitStack)
    postgresql: PostgresqlServer | None = None
    redis: RedisServer | None = None
    users: int = 0


_shared = _Shared()


@contextmanager
def places_of(store: Store) -> Iterator[dict[str, str]]:
    """Give the settings of a server that spends nonces in `store`; start what it needs, and end it with its last user.

    Raises Unavailable.
    """
    if store not in {"postgresql", "redis"}:
        yield {}
        return
    _shared.users += 1
    try:
        yield {"database_url": _database()} if store == "postgresql" else {"redis_url": _redis().url}
    finally:
        _shared.users -= 1
        if not _shared.users:
            _shared.stack.close()
            _shared.postgresql = _shared.redis = None


def _database() -> str:
    if _shared.postgresql is None:
        _shared.postgresql = _shared.stack.enter_context(postgresql(durable=True))
    return _shared.postgresql.url(_shared.postgresql.create_database())


def _redis() -> RedisServer:
    if _shared.redis is None:
        _shared.redis = _shared.stack.enter_context(redis())
    return _shared.redis
