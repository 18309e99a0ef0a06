"""What it costs to spend a nonce once, by where spent nonces are kept."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.nonces.places import PLACES
from experiments.nonces.spending import Spending
from experiments.scale import Scale
from experiments.subject import Setting, Subject

if TYPE_CHECKING:
    from experiments.servers.protection import Store

AT_ONCE: Final = 16
#: Stores of servers, in whose whole requests nonces are spent, too.
SERVED: Final[tuple["Store", ...]] = ("memory", "file", "redis", "postgresql")


def arm(store: str, concurrency: int) -> Arm:
    """Spend nonces in a store of the product, one after the other or several at once."""

    def prepare(setting: Setting) -> Spending:
        filled = 2_000 if setting.scale.wide else 250
        return Spending(
            PLACES[store](setting),
            concurrency=concurrency,
            filled=filled,
            window=setting.scale.window,
            random=setting.random,
        )

    name = store if concurrency == 1 else crowded(store)
    return Arm(name, prepare, {"store": store, "concurrency": concurrency, "of": "nonce"})


def request(store: "Store") -> Arm:
    """Serve whole requests, signed within a session, by a server that spends nonces in a store."""

    def prepare(setting: Setting) -> Subject:
        from experiments.servers.arm import server_arm  # only a full run needs the client and its libraries
        from experiments.servers.protection import Protection

        return server_arm(Protection("session", store=store))(setting)

    return Arm(f"request, {store}", prepare, {"store": store, "concurrency": AT_ONCE, "of": "request"}, "servers")


def arms(scale: Scale) -> Sequence[Arm]:
    """Every store, with one request after the other and with 16 at once; in a full run also within whole requests."""
    alone = [arm(store, concurrency) for store in PLACES for concurrency in (1, AT_ONCE)]
    return [*alone, *map(request, SERVED)] if scale.wide else alone


def crowded(store: str) -> str:
    """Return the name of a store's arm in which 16 requests spend at once."""
    return f"{store}, {AT_ONCE} at once"


def total(name: str, one: str, other: str, says: str, *, headline: bool = False) -> Finding:
    """Set the CPU time of one arm against that of another, the service behind each included."""

    def ratio(of: Round) -> float:
        return of[one] / of[other]

    return Finding(name, ratio, says, quantity="total_cpu", headline=headline)


def added(name: str, store: str, says: str) -> Finding:
    """Tell how much CPU time more a whole request takes the server than with the file, without that of the service."""
    return Finding(name, lambda of: of[f"request, {store}"] - of["request, file"], says, "amount", "us", headline=False)


def amount(name: str, one: str, quantity: str, says: str, unit: str = "us") -> Finding:
    """Tell one quantity of one arm."""
    return Finding(name, lambda of: of[one], says, kind="amount", unit=unit, quantity=quantity, headline=False)


nonces = partial(Plot, "dots", x="store", color="concurrency", where={"of": ["nonce"]}, log=True)

EXPERIMENT = Experiment(
    name="replay-store",
    title="Where spent nonces are kept",
    question="What does it cost to spend a nonce once, and which store is to be taken when?",
    topic=19,
    unit="us of CPU time a nonce, of the server's process and of the service behind it",
    held_fixed=(
        "the product's own stores, called as its server calls them, in a process with the server's kind of event loop",
        "distinct nonces of 16 random bytes, of one active key, good for 65 s; made before the clocks are read",
        "SQLite and PostgreSQL wait for the disk at each commit; the file (LMDB) and Redis (no snapshots) do not",
        "PostgreSQL and Redis run on this machine and answer over TCP to 127.0.0.1: a network would add its delay",
        "whole requests (in a full run only) are signed with HMAC within a session and come over 16 connections; their "
        "CPU time is the server's, without that of PostgreSQL or Redis",
        "every store holds at least 250 nonces (in a full run 2,000) before it is measured",
    ),
    checked="A nonce is spent once, a second time never, of 16 at the same moment one wins, a key that nobody enrolled "
    "spends nothing; a store that was closed and opened anew refuses what was spent, by remembering it or, in memory, "
    "by refusing whatever is older than itself.",
    baseline="file",
    arms=arms,
    findings=(
        amount("memory", "memory", "total_cpu", "In memory a nonce costs {value} of CPU time."),
        amount("file", "file", "total_cpu", "In the file it costs {value}."),
        total(
            "file-to-memory",
            "file",
            "memory",
            "The file, shared by all workers of a machine and there after a restart, takes {value} times memory's CPU.",
            headline=True,
        ),
        total("sqlite-to-file", "sqlite", "file", "A transaction of SQLite takes {value} times the CPU of the file."),
        total("redis-to-file", "redis", "file", "Redis, one request after the other, takes {value} times the file's."),
        total(
            "busy-redis-to-file",
            crowded("redis"),
            crowded("file"),
            "With 16 requests at once, which share round trips, Redis takes {value} times the CPU of the file.",
            headline=True,
        ),
        total(
            "busy-postgresql-to-redis",
            crowded("postgresql"),
            crowded("redis"),
            "With 16 requests at once PostgreSQL takes {value} times the CPU of Redis.",
            headline=True,
        ),
        amount("busy-redis", crowded("redis"), "total_cpu", "A nonce in Redis then costs {value}, Redis included."),
        amount("busy-postgresql", crowded("postgresql"), "total_cpu", "One in PostgreSQL costs {value}, all included."),
        amount("redis-wait", "redis", "wall", "A lone request waits {value} for Redis."),
        amount("postgresql-wait", "postgresql", "wall", "A lone request waits {value} for PostgreSQL and its disk."),
        amount("sqlite-wait", "sqlite", "wall", "A lone request waits {value} for SQLite and its disk."),
        amount("file-bytes", "file", "stored_bytes", "A nonce takes up {value} of the file.", "B"),
        amount("postgresql-bytes", "postgresql", "stored_bytes", "It takes up {value} in PostgreSQL.", "B"),
        amount("request", "request, file", "cpu", "A whole request within a session takes the server {value} of CPU."),
        added(
            "request-redis", "redis", "With Redis in place of the file a whole request takes the server {value} more."
        ),
        added("request-postgresql", "postgresql", "With PostgreSQL it takes the server {value} more."),
    ),
    answer="On one machine the file: {file} of CPU a nonce, for all workers and across restarts. "
    "On several hosts Redis, {busy-redis} with 16 requests at once. "
    "Or PostgreSQL alone, {busy-postgresql}, where there shall be no further service.",
    plots=(
        nonces("CPU time to spend a nonce, the service behind the store included", quantity="total_cpu"),
        nonces("CPU time of the server's own process", quantity="cpu"),
        nonces("Wall time a nonce: for one at a time, how long the request waits", quantity="wall"),
        Plot(
            "dots",
            "Bytes that a spent nonce takes up: on disk, or in memory",
            quantity="stored_bytes",
            x="store",
            where={"of": ["nonce"], "concurrency": [1]},
            unit="B",
        ),
    ),
)
