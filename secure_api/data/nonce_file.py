"""Nonces in an LMDB file: what the embedded database uses, at a fiftieth of the cost.

LMDB is a file in memory that all workers of a machine share: a transaction costs a few microseconds, on the event
loop itself, and a worker that dies in the middle of one harms nobody. What a process wrote outlives it; what the
machine wrote last may be lost with the machine. So the store remembers the boot of the machine: after another boot, or
when its file is new, it begins anew, and requests made before that moment are refused: whatever was lost is older.

Whether a key or session is still active is read from the SQLite database beside it, and remembered for `TRUST` seconds.
Whoever ends one says so here first (`forget`): for a while every worker then asks the database each time, so a
revocation is seen on the next request, and one that fails harms nobody.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import lmdb

from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_environment import NonceEnvironment, shared_environment
from secure_api.data.nonces import NonceRefused, NonceUse
from secure_api.data.scoping import across_organizations

SWEEP_ROWS: Final = 2_000  # nonces that one step of a sweep removes
TRUST: Final = 5  # seconds for which a key or session that was found active is not looked up again
BARRIER: Final = 120  # seconds for which one that was told to end is looked up each time: the commit is on its way
#: Seconds of one slot. A nonce lies in the slot of its `expires`, so whole slots go at once. A slot is longer than the
#: span of `expires` that is valid at one moment (`WINDOW`): at most one other slot can hold the same nonce.
SLOT: Final = 512
WINDOW: Final = 300 + 2 * 60  # seconds: the widest window, and twice the widest clock skew

_ACTIVE: Final = "SELECT 1 FROM keys WHERE keyid = ? AND status = 'active'"
_SESSION: Final = "SELECT expires FROM sessions WHERE id = ? AND status = 'active' AND expires >= ?"
_ENDING: Final = b"ending"
#: What is known of keys and sessions lies behind all nonces, whose slots begin with a zero byte: one table, as every
#: table more that a transaction touches is another page to write.
_STATE: Final = b"\xff"
_BUSY_TIMEOUT: Final = 5.0  # seconds


class FileNonceStore:
    """Nonces in `path`; the status of keys and sessions is read from the SQLite database at `database`.

    Opened and used in one thread, that of the event loop.
    """

    _file: NonceEnvironment
    _keys: sqlite3.Connection

    def __init__(self, path: Path, database: Path) -> None:
        self._path = path
        self._database = database
        self._opened = ExitStack()

    async def open(self, now: int) -> None:
        """Open both files; `now` in POSIX seconds.

        Raises:
            DatabaseUnavailable: one cannot be opened.
        """
        with _translated(), ExitStack() as opened:
            self._file = opened.enter_context(shared_environment(self._path, now))
            self._keys = opened.enter_context(closing(_connect(self._database)))
            self._opened = opened.pop_all()

    async def ping(self) -> None:
        """Do nothing: a file is there."""

    async def spend(self, uses: Sequence[NonceUse], now: int) -> None:
        """Spend all the nonces of one request, or none; `now` in POSIX seconds.

        Raises:
            NonceRefused: one was spent before, its key or session is not active, or the request is older than what the
                store remembers.
            DatabaseUnavailable: the file cannot be written.
        """
        file = self._file
        with _translated(), file.environment.begin(write=True) as transaction:
            for use in uses:
                if use.created < file.since or not self._is_active(transaction, use, now):
                    raise NonceRefused
                slot = use.expires // SLOT
                mark = hashlib.sha256(f"{use.keyid}\0{use.nonce}".encode()).digest()
                other = slot - 1 if now // SLOT < slot else slot + 1
                elsewhere = other < slot or (now + WINDOW) // SLOT > slot
                if elsewhere and transaction.get(other.to_bytes(8) + mark) is not None:
                    raise NonceRefused
                if not transaction.put(slot.to_bytes(8) + mark, b"", overwrite=False):
                    raise NonceRefused

    async def forget(self, keyids: Sequence[str], now: int) -> None:
        """Trust nothing that is remembered of keys or sessions that are about to end, or just ended.

        Raises:
            DatabaseUnavailable: the file cannot be written.
        """
        file = self._file
        with _translated(), file.environment.begin(write=True) as transaction:
            for keyid in keyids:
                transaction.put(_STATE + keyid.encode(), (now + BARRIER).to_bytes(8) + _ENDING)

    async def sweep(self, now: int) -> int:
        """Forget nonces whose whole slot expired before `now` (POSIX seconds), a few at a time; returns how many.

        What is remembered of keys and sessions is forgotten, too, once it is not trusted any more.
        """
        file, swept = self._file, 0
        while True:
            with _translated(), file.environment.begin(write=True) as transaction:
                step = _delete_below(transaction, (now // SLOT).to_bytes(8))
                if step < SWEEP_ROWS:
                    _delete_before(transaction, now)
            swept += step
            if step < SWEEP_ROWS:
                return swept
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Close both files, if they are open."""
        self._opened.close()

    def _is_active(self, transaction: lmdb.Transaction, use: NonceUse, now: int) -> bool:
        name = _STATE + use.keyid.encode()
        state = transaction.get(name)
        ending = False
        if state is not None and int.from_bytes(state[:8]) >= now:
            ending = state[8:] == _ENDING
            if not ending:
                return True
        active_until = self._look_up(use, now)
        if active_until is None:
            return False
        if not ending:
            transaction.put(name, active_until.to_bytes(8))
        return True

    @across_organizations("authentication asks whether a key or session is active; the caller is its answer")
    def _look_up(self, use: NonceUse, now: int) -> int | None:
        """Give until when (POSIX seconds) a key or session that is active may be trusted to be; None if it is not."""
        if not use.session:
            row = self._keys.execute(_ACTIVE, (use.keyid,)).fetchone()
            return None if row is None else now + TRUST
        row = self._keys.execute(_SESSION, (use.keyid, now)).fetchone()
        return None if row is None else min(now + TRUST, row[0])


@across_organizations("nonces are nobody's")
def _delete_below(transaction: lmdb.Transaction, bound: bytes) -> int:
    deleted = 0
    with transaction.cursor() as cursor:
        cursor.first()
        # Behind the last entry, and in an empty table, the cursor's key is empty.
        while (key := bytes(cursor.key())) and key < bound and deleted < SWEEP_ROWS:
            cursor.delete()  # goes on to the next
            deleted += 1
    return deleted


@across_organizations("the states of keys and sessions are for authentication alone")
def _delete_before(transaction: lmdb.Transaction, now: int) -> None:
    with transaction.cursor() as cursor:
        cursor.set_range(_STATE)
        while cursor.key():
            if int.from_bytes(bytes(cursor.value())[:8]) < now:
                cursor.delete()
            else:
                cursor.next()


@across_organizations("looks whether the file is a database")
def _connect(path: Path) -> sqlite3.Connection:
    with ExitStack() as opened:
        connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_TIMEOUT, cached_statements=16)
        opened.enter_context(closing(connection))
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opening alone does not look into the file
        opened.pop_all()
    return connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, lmdb.Error, OSError) as error:
        raise DatabaseUnavailable("The store of nonces is not available at the moment.") from error
