"""Connections to Redis, and what a server must be like to be trusted with nonces.

Importing this module needs the extra `redis`. The URL may hold a password: nothing here repeats it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from secure_api.data.errors import DatabaseUnavailable
from secure_api.domain.errors import ConfigurationError

POOL_SIZE: Final = 16  # connections of one worker
OLDEST: Final = (6, 2)
KEEPS_ALL: Final = "noeviction"

log = structlog.get_logger("secure_api.data")


@dataclass(frozen=True, slots=True)
class RedisServer:
    """What a server says of itself: its version, and its eviction policy, None when it does not tell."""

    version: str
    eviction: str | None


def connect(url: str, timeout: float) -> Redis:
    """Make a client, which connects when it is used; `timeout` in seconds, for connecting and for each answer.

    A command is never sent twice: whether the first one was obeyed is not known.

    Raises:
        ConfigurationError: the URL is malformed.
    """
    try:
        pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
            url,
            max_connections=POOL_SIZE,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=None,
            client_name="secure-api",
            # Where it is on, the pool does not look whether the other side closed a connection meanwhile.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    except (ValueError, TypeError):
        raise ConfigurationError(
            "The Redis URL must be well-formed, and begin with redis://, rediss:// or unix://."
        ) from None
    return Redis.from_pool(pool)


@contextmanager
def translated() -> Iterator[None]:
    """Turn everything that redis-py raises into `DatabaseUnavailable`."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise DatabaseUnavailable("The store of nonces is not available at the moment.") from error


async def inspect_server(client: Redis) -> RedisServer:
    """Ask a server what it is, and refuse one that would forget nonces before their time.

    Raises:
        ConfigurationError: it does not let us in, is too old, a cluster, or evicts keys when its memory is full.
        DatabaseUnavailable: it cannot be reached.
    """
    with translated():
        try:
            info: dict[str, Any] = {**await client.info("server"), **await client.info("memory")}
        except (AuthenticationError, NoPermissionError) as error:
            raise ConfigurationError(
                "Redis does not let us in: the user or the password of the URL is wrong, or that user may not run INFO."
            ) from error
        policy = info.get("maxmemory_policy") or await _configured_policy(client)
    version = str(info.get("redis_version", ""))
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        raise ConfigurationError(f"Redis must be version 6.2 or newer, and is {version or 'silent about it'}.")
    if info.get("redis_mode") == "cluster":
        raise ConfigurationError("Nonces need one Redis server (with replicas, if you like), not a Redis Cluster.")
    if policy is None:
        log.warning("redis does not tell its maxmemory-policy; it must be noeviction")
    elif policy != KEEPS_ALL:
        raise ConfigurationError(
            f"The maxmemory-policy of Redis is {policy}: it could drop spent nonces. Set it to {KEEPS_ALL}."
        )
    return RedisServer(str(info.get("valkey_version") or version), policy)


async def _configured_policy(client: Redis) -> str | None:
    try:
        found = await client.config_get("maxmemory-policy")
    except ResponseError:  # many who rent out Redis forbid CONFIG
        return None
    policy = found.get("maxmemory-policy")
    return None if policy is None else str(policy)
