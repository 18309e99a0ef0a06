"""Nonces in Redis: for many hosts, and many requests, on one database.

A request costs one round trip and nothing of the database: Redis spends its nonces and knows, for a minute at most,
that its key or session is active. Whoever ends one says so here first (`forget`), so a revocation is seen by every
server on the next request. All requests of one turn of the event loop share a round trip.

Redis may lose what it was told: it is emptied, started again, or replaced by a replica that lags behind. `SPEND` sees
it and begins a new origin. Requests made before that moment, by the latest clock that a client may have, are refused:
whatever was lost is older.
"""

import asyncio
import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis.exceptions import NoScriptError, RedisError, ResponseError

from secure_api.data.active_status import active_until
from secure_api.data.database import Database
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_script import FORGET, SPEND
from secure_api.data.nonces import NONCE_AFTERLIFE, NonceRefused, NonceUse
from secure_api.data.redis_connection import RedisServer, connect, inspect_server, translated

ATTEMPTS: Final = 8  # times that one spend may be told to look anew
NAME_BYTES: Final = 24  # of a SHA-256 digest: 32 characters

_SPEND_SHA: Final = hashlib.sha1(SPEND.encode(), usedforsecurity=False).hexdigest()  # how Redis names a script

log = structlog.get_logger("secure_api.data")


@dataclass(slots=True)
class _Answers:
    """What the database said of each use, and the states and the time of Redis when it was asked."""

    asked_at: bytes = b""
    states: Sequence[bytes] = ()
    ends: Sequence[int | None] = ()


@dataclass(slots=True, eq=False)
class _Call:
    """One request that waits for Redis to run `SPEND`."""

    keys: list[str]
    arguments: list[Any]
    reply: asyncio.Future[list[bytes]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, reply: Any) -> None:
        if self.reply.done():  # whoever waited has gone
            return
        if isinstance(reply, list):
            self.reply.set_result(reply)
        else:
            # Each its own: an error that is raised in several tasks would collect the tracebacks of all.
            unavailable = DatabaseUnavailable("The store of nonces is not available at the moment.")
            unavailable.__cause__ = reply
            self.reply.set_exception(unavailable)


class RedisNonceStore:
    """Nonces in the Redis at `url`, under keys that begin with `prefix`; `timeout` in seconds for each answer.

    `clock_skew` is how far (seconds) a client's clock may be ahead. `pause` waits, and is there for tests.
    """

    def __init__(
        self,
        url: str,
        database: Database,
        *,
        prefix: str,
        timeout: float,
        clock_skew: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._redis = connect(url, timeout)
        self._database = database
        self._prefix = prefix
        self._guard = clock_skew + 1  # both times are cut to whole seconds
        self._pause = pause
        self._origin = b""
        self._since = 0
        self._waiting: list[_Call] = []
        self._flights: set[asyncio.Task[None]] = set()

    async def inspect(self) -> RedisServer:
        """Ask the server what it is.

        Raises:
            ConfigurationError: it is none that nonces may be trusted to.
            DatabaseUnavailable: it cannot be reached.
        """
        return await inspect_server(self._redis)

    async def open(self, now: int) -> None:
        """Look at the server, and wait until its memory reaches back far enough; `now` in POSIX seconds.

        Raises:
            ConfigurationError: the server is none that nonces may be trusted to.
            DatabaseUnavailable: it cannot be reached.
        """
        await self.inspect()
        self._adopt((await self._run([], now, _Answers()))[1])
        if (wait := min(self._since - now, self._guard)) > 0:
            log.info("waiting until no request can be older than the memory for nonces", seconds=wait)
            await self._pause(wait)

    async def ping(self) -> None:
        """Ask Redis for a sign of life.

        Raises:
            DatabaseUnavailable: it gave none.
        """
        with translated():
            await self._redis.ping()

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Spend all the nonces of one request, or none; `now` in POSIX seconds.

        Raises:
            NonceRefused: one was spent before, its key or session is not active, or the request is older than what
                Redis remembers.
            DatabaseUnavailable: Redis cannot be reached, or the database is asked and cannot be reached.
        """
        if len({(use.keyid, use.nonce) for use in uses}) < len(uses):
            raise NonceRefused
        answers = _Answers()
        for _ in range(ATTEMPTS):
            if any(use.created < self._since for use in uses):
                raise NonceRefused
            reply = await self._run(uses, now, answers)
            match reply[0]:
                case b"ok":
                    return
                case b"spent":
                    raise NonceRefused
                case b"origin":
                    self._adopt(reply[1])
                    answers = _Answers()  # a key may have ended while Redis was losing what it knew of that
                case _:
                    ends = await active_until(self._database, uses, now)
                    if None in ends:
                        raise NonceRefused
                    answers = _Answers(reply[1], reply[2:], ends)
        raise DatabaseUnavailable("The store of nonces changes too fast at the moment.")

    async def forget(self, keyids: Sequence[str], now: int) -> None:
        """Let nobody trust what Redis remembers of keys or sessions that are about to end, or just ended.

        Raises:
            DatabaseUnavailable: Redis cannot be reached.
        """
        states = [self._state(keyid, session) for keyid in keyids for session in (False, True)]
        if states:
            with translated():
                await self._redis.eval(FORGET, len(states), *states, secrets.token_hex(8))

    async def sweep(self, now: int) -> int:
        """Do nothing: Redis forgets nonces by itself."""
        return 0

    async def close(self) -> None:
        """Let what is under way end, and close the connections."""
        await asyncio.gather(*self._flights, return_exceptions=True)
        await self._redis.aclose()

    def _adopt(self, origin: bytes) -> None:
        """Take the origin of the memory from Redis: since when it remembers every nonce, and its mark."""
        if origin == self._origin:
            return
        if self._origin:
            log.warning("redis may have lost spent nonces; requests signed before now are refused")
        self._origin = origin
        self._since = int(origin.split(b":")[2])

    async def _run(self, uses: Sequence[NonceUse], now: int, answers: _Answers) -> list[bytes]:
        keys = [f"{self._prefix}origin"]
        keys += [self._state(use.keyid, use.session) for use in uses]
        keys += [self._nonce(use) for use in uses]
        arguments: list[Any] = [self._origin, f"{now + self._guard}:{secrets.token_hex(8)}", now, answers.asked_at]
        for index, use in enumerate(uses):
            arguments.append(max(use.expires - now, 0) + NONCE_AFTERLIFE)
            arguments += [answers.states[index], answers.ends[index]] if answers.states else [b"", b""]
        call = _Call(keys, arguments)
        self._waiting.append(call)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._depart)
        return await call.reply

    def _depart(self) -> None:
        """Send everybody who waits on their way, together."""
        batch, self._waiting = self._waiting, []
        flight = asyncio.create_task(self._fly(batch))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self, batch: list[_Call]) -> None:
        replies: Sequence[Any] = []
        try:
            replies = await self._execute(batch)
            unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if unknown:  # Redis was started again: a script that is not there did nothing
                await self._redis.script_load(SPEND)
                again = await self._execute([batch[index] for index in unknown])
                for index, reply in zip(unknown, again, strict=True):
                    replies[index] = reply
        except (RedisError, OSError) as error:
            replies = [error] * len(batch)
        finally:
            for call, reply in zip(batch, replies or [None] * len(batch), strict=True):
                call.end(reply)

    async def _execute(self, batch: Sequence[_Call]) -> list[Any]:
        if len(batch) == 1:
            try:
                return [await self._redis.evalsha(_SPEND_SHA, len(batch[0].keys), *batch[0].keys, *batch[0].arguments)]
            except ResponseError as error:
                return [error]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for call in batch:
                pipeline.evalsha(_SPEND_SHA, len(call.keys), *call.keys, *call.arguments)
            return await pipeline.execute(raise_on_error=False)

    def _state(self, keyid: str, session: bool) -> str:
        return f"{self._prefix}{'session' if session else 'key'}:{keyid}"

    def _nonce(self, use: NonceUse) -> str:
        mark = hashlib.sha256(f"{use.keyid}\0{use.nonce}".encode()).digest()[:NAME_BYTES]
        return f"{self._prefix}nonce:{urlsafe_b64encode(mark).decode()}"
