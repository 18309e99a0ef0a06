"""Nonces in an SQLite file of their own: what the embedded database uses, at a twentieth of the cost.

SQLite answers in microseconds, and a trip to a driver thread and back costs ten times as much; so this store talks to
SQLite from the event loop itself. It can do so because its lock is never held across an await, and because its file is
not the database's: a writer of records, who does hold its lock across awaits, is not in the way. Two workers that meet
at the lock step aside and try again; neither blocks its loop. What costs most is the end of a transaction, so all the
requests that one turn of the event loop brings share one.

`synchronous=NORMAL` in WAL mode survives the death of a process, not that of the machine: the last nonces may then be
lost, and their requests could be sent again. So the file remembers the boot of the machine. After another boot, or when
the file is new, requests made before that moment are refused: whatever was lost is older.
"""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonces import NonceRefused, NonceUse
from secure_api.data.scoping import across_organizations

PATIENCE: Final = 15.0  # seconds that a spender steps aside for others
SWEEP_ROWS: Final = 500  # rows that one step of a sweep removes while it holds the lock
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

#: Seconds of one slot. A nonce lies in the slot of its `expires`, so the present ones lie side by side, where SQLite
#: writes fastest, and whole slots go at once. A slot is longer than the span of `expires` that is valid at one moment
#: (300 s and twice the clock skew): at most one other slot can hold the same nonce.
SLOT: Final = 512

WINDOW: Final = 300 + 2 * 60  # seconds: the widest window and twice the widest clock skew

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS nonces (slot INTEGER NOT NULL, use BLOB NOT NULL, PRIMARY KEY (slot, use)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origin (boot TEXT NOT NULL, since INTEGER NOT NULL);
"""
_SPEND: Final = "INSERT INTO nonces (slot, use) VALUES (?1, ?2)"
_SPEND_BESIDE: Final = """
INSERT INTO nonces (slot, use) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM nonces WHERE slot = ?3 AND use = ?2)
"""
_EARLIER_VERSION: Final = "SELECT 1 FROM pragma_table_info('nonces') WHERE name = 'keyid'"
_ACTIVE: Final = "SELECT 1 FROM keys WHERE keyid = ? AND status = 'active'"
_ACTIVE_SESSION: Final = "SELECT 1 FROM sessions WHERE id = ? AND status = 'active' AND expires >= ?"
_SWEEP: Final = "DELETE FROM nonces WHERE (slot, use) IN (SELECT slot, use FROM nonces WHERE slot < ? LIMIT ?)"


@dataclass(frozen=True, slots=True, eq=False)
class _Spending:
    """One request that waits for its nonces to be spent."""

    uses: Sequence[NonceUse]
    now: int
    done: asyncio.Future[None]

    def end(self, error: Exception | None) -> None:
        if self.done.done():  # whoever waited has gone
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class FileNonceStore:
    """Nonces in `path`; the status of keys and sessions is read from the SQLite database at `database`.

    Opened and used in one thread, that of the event loop.
    """

    _nonces: sqlite3.Connection
    _keys: sqlite3.Connection

    def __init__(self, path: Path, database: Path) -> None:
        self._path = path
        self._database = database
        self._knows_boots = BOOT_ID.exists()
        self._since = 0
        self._waiting: list[_Spending] = []
        self._busy_since = 0.0
        self._opened = ExitStack()

    async def open(self, now: int) -> None:
        """Open both files; `now` in POSIX seconds.

        Raises:
            DatabaseUnavailable: one cannot be opened.
        """
        with _translated(), ExitStack() as opened:
            self._nonces = opened.enter_context(
                closing(_connect(self._path, "NORMAL" if self._knows_boots else "FULL"))
            )
            self._keys = opened.enter_context(closing(_connect(self._database, "NORMAL")))
            self._since = self._trusted_since(now)
            self._opened = opened.pop_all()

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Spend all the nonces of one request, or none; `now` in POSIX seconds.

        Raises:
            NonceRefused: one was spent before, its key or session is not active, or the request is older than what the
                store remembers.
            DatabaseUnavailable: the file cannot be written.
        """
        if any(use.created < self._since for use in uses):
            raise NonceRefused
        loop = asyncio.get_running_loop()
        spending = _Spending(uses, now, loop.create_future())
        self._waiting.append(spending)
        if len(self._waiting) == 1:
            loop.call_soon(self._settle)
        await spending.done

    async def forget(self, keyids: Sequence[str]) -> None:
        """Do nothing: the store asks the database each time."""

    @across_organizations("expired nonces are nobody's")
    async def sweep(self, now: int) -> int:
        """Forget nonces whose whole slot expired before `now` (POSIX seconds), a few at a time; returns how many."""
        swept = 0
        while True:
            step = 0
            with _translated():
                try:
                    step = self._nonces.execute(_SWEEP, (now // SLOT, SWEEP_ROWS)).rowcount
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                        raise
                    return swept  # the next sweep will do
            swept += step
            if step < SWEEP_ROWS:
                return swept
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Close both files, if they are open."""
        self._opened.close()

    def _settle(self) -> None:
        """Spend for everybody who waits; those whose turn another worker's lock denies wait for the next one."""
        batch, self._waiting = self._waiting, []
        try:
            with _translated():
                try:
                    refused = self._spend_all(batch)
                except sqlite3.OperationalError as error:
                    moment = time.monotonic()
                    self._busy_since = self._busy_since or moment
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or moment - self._busy_since > PATIENCE:
                        raise
                    if not self._waiting:
                        asyncio.get_running_loop().call_soon(self._settle)
                    self._waiting[:0] = batch
                    return
            self._busy_since = 0.0
            for spending in batch:
                spending.end(NonceRefused() if spending in refused else None)
        except Exception as error:
            self._busy_since = 0.0
            for spending in batch:
                # Each its own: an error that is raised in several tasks would collect the tracebacks of all.
                spending.end(DatabaseUnavailable("The store of nonces is not available at the moment."))
            if not isinstance(error, DatabaseUnavailable):
                raise

    @across_organizations("authentication asks whether a key or session is active; the caller is its answer")
    def _spend_all(self, batch: list[_Spending]) -> list[_Spending]:
        """Spend in one transaction, all or nothing for each request; returns those that must be refused."""
        if len(batch) == 1 and len(batch[0].uses) == 1:
            return [] if self._spend_one(batch[0].uses[0], batch[0].now) else batch[:1]
        refused = []
        self._nonces.execute("BEGIN IMMEDIATE")
        try:
            self._keys.execute("BEGIN")
            for spending in batch:
                many = len(spending.uses) > 1
                if many:
                    self._nonces.execute("SAVEPOINT request")
                if not all(self._spend_one(use, spending.now) for use in spending.uses):
                    refused.append(spending)
                    if many:
                        self._nonces.execute("ROLLBACK TO request")
                if many:
                    self._nonces.execute("RELEASE request")
        except BaseException:
            self._nonces.execute("ROLLBACK")
            raise
        finally:
            if self._keys.in_transaction:
                self._keys.execute("ROLLBACK")
        self._nonces.execute("COMMIT")
        return refused

    @across_organizations("authentication asks whether a key or session is active; the caller is its answer")
    def _spend_one(self, use: NonceUse, now: int) -> bool:
        if use.session:
            active = self._keys.execute(_ACTIVE_SESSION, (use.keyid, now))
        else:
            active = self._keys.execute(_ACTIVE, (use.keyid,))
        if active.fetchone() is None:
            return False
        try:
            return self._insert(use, now)
        except sqlite3.IntegrityError:
            return False

    @across_organizations("nonces are nobody's")
    def _insert(self, use: NonceUse, now: int) -> bool:
        slot = use.expires // SLOT
        mark = hashlib.sha256(f"{use.keyid}\0{use.nonce}".encode()).digest()
        other = slot - 1 if now // SLOT < slot else slot + 1
        if other > slot and (now + WINDOW) // SLOT == slot:  # no nonce can lie there yet
            self._nonces.execute(_SPEND, (slot, mark))
            return True
        return self._nonces.execute(_SPEND_BESIDE, (slot, mark, other)).rowcount == 1

    @across_organizations("the origin of the file is nobody's")
    def _trusted_since(self, now: int) -> int:
        """Give the moment (POSIX seconds) since which no spent nonce can be missing."""
        boot = BOOT_ID.read_text().strip() if self._knows_boots else ""
        self._nonces.execute("PRAGMA busy_timeout = 15000")
        if self._nonces.execute(_EARLIER_VERSION).fetchone() is not None:  # what it spent is not known here
            self._nonces.executescript("DROP TABLE nonces; DELETE FROM origin;")
        self._nonces.executescript(_SCHEMA)
        self._nonces.execute("BEGIN IMMEDIATE")
        row = self._nonces.execute("SELECT boot, since FROM origin").fetchone()
        if row is None or row[0] != boot:
            self._nonces.execute("DELETE FROM origin")
            self._nonces.execute("INSERT INTO origin (boot, since) VALUES (?, ?)", (boot, now))
            row = (boot, now)
        self._nonces.execute("COMMIT")
        self._nonces.execute("PRAGMA busy_timeout = 0")
        since: int = row[1]
        return since


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    with ExitStack() as opened:
        connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE, cached_statements=16)
        opened.enter_context(closing(connection))
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "trusted_schema=OFF",
            "wal_autocheckpoint=4000",
        ):
            with closing(connection.execute(f"PRAGMA {pragma}")) as cursor:
                cursor.fetchall()
        opened.pop_all()
    return connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseUnavailable("The store of nonces is not available at the moment.") from error
