"""Where a server's state is that is not in its home: one PostgreSQL and one Redis for all servers of this process."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from experiments.instances.affinity import move_to_core
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


@dataclass(frozen=True, slots=True)
class Place:
    """Settings of a server that has state elsewhere, and the root of the processes that keep it."""

    settings: Mapping[str, str] = field(default_factory=dict)
    service: int | None = None


@contextmanager
def place_of(store: Store, core: int | None) -> Iterator[Place]:
    """Give the place where a server spends nonces in `store`; start what it needs, and end it with its last user.

    What is started runs on `core` (None: anywhere). Raises Unavailable.
    """
    if store not in {"postgresql", "redis"}:
        yield Place()
        return
    _shared.users += 1
    try:
        if store == "postgresql":
            server = _postgresql(core)
            yield Place({"database_url": server.url(server.create_database())}, server.pid)
        else:
            yield Place({"redis_url": _redis(core).url}, _redis(core).pid)
    finally:
        _shared.users -= 1
        if not _shared.users:
            _shared.stack.close()
            _shared.postgresql = _shared.redis = None


def _postgresql(core: int | None) -> PostgresqlServer:
    if _shared.postgresql is None:
        _shared.postgresql = _shared.stack.enter_context(postgresql(durable=True))
        move_to_core(_shared.postgresql.pid, core)
    return _shared.postgresql


def _redis(core: int | None) -> RedisServer:
    if _shared.redis is None:
        _shared.redis = _shared.stack.enter_context(redis())
        move_to_core(_shared.redis.pid, core)
    return _shared.redis
