"""The file of nonces beside an SQLite database: restarts, reboots, other workers, and files that fail."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from secure_api.data import nonce_file
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_file import SLOT, WINDOW, FileNonceStore
from secure_api.data.nonces import NonceRefused, NonceUse
from tests.consortium import admin_key

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
ADMIN = admin_key().public_key.keyid


@dataclass
class Machine:
    """A machine with a database, and a file of nonces beside it."""

    database: Path
    nonces: Path
    boot: Path

    async def store(self, now: int = NOW) -> FileNonceStore:
        """Start one more worker."""
        store = FileNonceStore(self.nonces, self.database)
        await store.open(now)
        return store

    def reboot(self) -> None:
        """Give the machine another boot id."""
        self.boot.write_text(self.boot.read_text() + "again\n")


@pytest.fixture
def machine(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "secure-api.db", tmp_path / "secure-api.nonces", tmp_path / "boot_id")
    shutil.copy(sqlite_template, machine.database)
    machine.boot.write_text("5d2e9c9a\n")
    monkeypatch.setattr(nonce_file, "BOOT_ID", machine.boot)
    return machine


def use(nonce: str, created: int = NOW) -> NonceUse:
    return NonceUse(ADMIN, nonce, created, created + 65)


async def attempt(store: FileNonceStore, *uses: NonceUse) -> bool:
    try:
        await store.spend(uses, NOW)
    except NonceRefused:
        return False
    return True


async def test_a_restart_forgets_nothing(machine: Machine) -> None:
    store = await machine.store()
    assert await attempt(store, use("a"))
    await store.close()
    store = await machine.store(NOW + 20)
    assert not await attempt(store, use("a"))
    assert await attempt(store, use("b")), "signed before the restart, and never sent"
    await store.close()


async def test_after_a_reboot_what_was_signed_before_it_is_refused(machine: Machine) -> None:
    store = await machine.store()
    assert await attempt(store, use("a"))
    await store.close()
    machine.reboot()
    store = await machine.store(NOW + 20)
    second_worker = await machine.store(NOW + 25)
    for worker in (store, second_worker):
        assert not await attempt(worker, use("lost", NOW + 19)), "its nonce may have been lost with the machine"
    assert not await attempt(store, use("old", NOW + 19), use("young", NOW + 20))
    assert await attempt(store, use("young", NOW + 20))
    assert await attempt(second_worker, use("younger", NOW + 21)), "the memory begins with the first worker of the boot"
    await store.close()
    await second_worker.close()


async def test_a_file_that_was_removed_opens_no_way_for_replays(machine: Machine) -> None:
    store = await machine.store()
    assert await attempt(store, use("a"))
    await store.close()
    await asyncio.to_thread(machine.nonces.unlink)
    store = await machine.store(NOW + 20)
    assert not await attempt(store, use("a"))
    await store.close()


async def test_where_no_boot_is_known_every_spend_reaches_the_disk(machine: Machine) -> None:
    for missing, expected in ((False, 1), (True, 2)):
        if missing:
            await asyncio.to_thread(machine.boot.unlink)
        store = await machine.store()
        (synchronous,) = store._nonces.execute("PRAGMA synchronous").fetchone()
        assert synchronous == expected
        await store.close()


async def test_of_fifty_spends_by_five_workers_one_wins(machine: Machine) -> None:
    workers = [await machine.store() for _ in range(5)]
    outcomes = await asyncio.gather(*(attempt(workers[n % 5], use("raced")) for n in range(50)))
    assert outcomes.count(True) == 1
    for worker in workers:
        await worker.close()


async def test_a_spender_steps_aside_for_another_worker(machine: Machine) -> None:
    store = await machine.store()
    with closing(sqlite3.connect(machine.nonces, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        spends = [asyncio.create_task(attempt(store, use(f"{n}"), use(f"{n}+"))) for n in range(3)]
        await asyncio.sleep(0.05)  # the loop goes on meanwhile
        assert not any(spend.done() for spend in spends)
        assert await store.sweep(NOW) == 0, "a sweep leaves it to the next one"
        other.execute("COMMIT")
    assert await asyncio.gather(*spends) == [True] * 3
    await store.close()


async def test_a_lock_that_stays_is_an_outage(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await machine.store()
    monkeypatch.setattr(nonce_file, "PATIENCE", 0.05)
    with closing(sqlite3.connect(machine.nonces, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            await store.spend([use("a")], NOW)
        other.execute("COMMIT")
    assert await attempt(store, use("a"))
    await store.close()


@pytest.mark.parametrize("damage", ["folder", "garbage", "missing folder", "database"])
async def test_a_file_that_cannot_be_opened_is_an_outage(machine: Machine, tmp_path: Path, damage: str) -> None:
    if damage == "folder":
        machine.nonces.mkdir()
    elif damage == "garbage":
        machine.nonces.write_bytes(b"not a database" * 1_000)
    elif damage == "missing folder":
        machine.nonces = tmp_path / "nowhere" / "secure-api.nonces"
    else:
        machine.database.write_bytes(b"not a database" * 1_000)
    store = FileNonceStore(machine.nonces, machine.database)
    with pytest.raises(DatabaseUnavailable):
        await store.open(NOW)
    await store.close()


async def test_a_table_that_is_gone_is_an_outage(machine: Machine) -> None:
    store = await machine.store()
    with closing(sqlite3.connect(machine.nonces, isolation_level=None)) as other:
        other.execute("DROP TABLE nonces")
    with pytest.raises(DatabaseUnavailable):
        await store.spend([use("a")], NOW)
    with pytest.raises(DatabaseUnavailable):
        await store.spend([use("a"), use("b")], NOW)
    with pytest.raises(DatabaseUnavailable):
        await store.sweep(NOW)
    await store.close()


@pytest.mark.parametrize("now", [NOW // SLOT * SLOT, NOW // SLOT * SLOT + 255, NOW // SLOT * SLOT + 511])
async def test_a_nonce_is_spent_whenever_it_would_have_expired(machine: Machine, now: int) -> None:
    store = await machine.store(now - 1_000)
    moments = range(now, now + WINDOW + 1, 30)
    for number, first in enumerate(moments):
        await store.spend([NonceUse(ADMIN, f"nonce {number}", now, first)], now)
        for again in moments:
            with pytest.raises(NonceRefused):
                await store.spend([NonceUse(ADMIN, f"nonce {number}", now, again)], now)
    await store.close()


async def test_the_file_of_an_earlier_version_is_not_trusted(machine: Machine) -> None:
    with closing(sqlite3.connect(machine.nonces, isolation_level=None)) as earlier:
        earlier.executescript(
            "CREATE TABLE nonces (keyid TEXT, nonce TEXT, expires INTEGER, PRIMARY KEY (keyid, nonce));"
            "CREATE TABLE origin (boot TEXT NOT NULL, since INTEGER NOT NULL);"
        )
        earlier.execute("INSERT INTO origin VALUES (?, ?)", (machine.boot.read_text().strip(), NOW - 100))
        earlier.execute("INSERT INTO nonces VALUES (?, 'a', ?)", (ADMIN, NOW + 65))
    store = await machine.store()
    assert not await attempt(store, use("a", created=NOW - 1))
    assert await attempt(store, use("b"))
    await store.close()
