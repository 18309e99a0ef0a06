"""The file of nonces beside an SQLite database: restarts, reboots, other workers, and files that fail."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from secure_api.data import nonce_environment
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.nonce_file import BARRIER, SLOT, TRUST, WINDOW, FileNonceStore
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
    monkeypatch.setattr(nonce_environment, "BOOT_ID", machine.boot)
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
    for missing in (False, True):
        if missing:
            await asyncio.to_thread(machine.boot.unlink)
        store = await machine.store()
        assert store._file.environment.flags()["sync"] is missing
        await store.close()


async def test_of_fifty_spends_by_five_workers_one_wins(machine: Machine) -> None:
    workers = [await machine.store() for _ in range(5)]
    outcomes = await asyncio.gather(*(attempt(workers[n % 5], use("raced")) for n in range(50)))
    assert outcomes.count(True) == 1
    for worker in workers:
        await worker.close()


async def test_a_full_file_is_an_outage(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_environment, "MAP_SIZE", 1 << 16)
    store = await machine.store()
    with suppress(DatabaseUnavailable):
        for number in range(5_000):
            await store.spend([use(f"{number}")], NOW)
    assert 10 < number < 4_999
    store._file.environment.set_mapsize(1 << 20)
    await store.spend([use(f"{number}")], NOW)
    await store.close()


def set_status(machine: Machine, status: str) -> None:
    with closing(sqlite3.connect(machine.database, isolation_level=None)) as database:
        database.execute("UPDATE keys SET status = ?", (status,))


async def test_what_was_told_to_end_is_looked_up_by_every_worker_each_time(machine: Machine) -> None:
    store, other = await machine.store(), await machine.store()
    assert await attempt(other, use("a"))
    await store.forget([ADMIN], NOW)
    assert await attempt(other, use("b")), "it has not ended yet, and may never"
    set_status(machine, "revoked")
    assert not await attempt(other, use("c")), "no answer from before the end is trusted"
    set_status(machine, "active")
    await other.spend([use("d")], NOW + BARRIER)
    set_status(machine, "revoked")
    with pytest.raises(NonceRefused):
        await other.spend([use("e")], NOW + BARRIER)
    await store.close()
    await other.close()


async def test_an_answer_is_trusted_for_a_while_and_no_longer(machine: Machine) -> None:
    store = await machine.store()
    assert await attempt(store, use("a"))
    set_status(machine, "revoked")  # by somebody who told nobody
    await store.spend([use("b")], NOW + TRUST)
    with pytest.raises(NonceRefused):
        await store.spend([use("c")], NOW + TRUST + 1)
    await store.close()


async def test_a_session_is_trusted_no_longer_than_it_lives(machine: Machine) -> None:
    store = await machine.store()
    with closing(sqlite3.connect(machine.database, isolation_level=None)) as database:
        database.execute(
            "INSERT INTO sessions SELECT ?, organization_id, client_id, key_set, 'x-wing', 'active', x'', ?, ?, 60, ?,"
            " 9, 9 FROM keys",
            ("s" * 32, NOW, NOW + 2, NOW),
        )
    for moment, believed in ((NOW, True), (NOW + 2, True), (NOW + 3, False)):
        spending = store.spend([NonceUse("s" * 32, f"{moment}", NOW, NOW + 65, session=True)], moment)
        if believed:
            await spending
        else:
            with pytest.raises(NonceRefused):
                await spending
    with pytest.raises(NonceRefused):
        await store.spend([NonceUse("s" * 32, "as a key", NOW, NOW + 65)], NOW + 9)
    await store.close()


@pytest.mark.parametrize("damage", ["folder", "garbage", "missing folder", "database"])
async def test_a_file_that_cannot_be_opened_is_an_outage(machine: Machine, tmp_path: Path, damage: str) -> None:
    if damage == "folder":
        machine.nonces.mkdir()
    elif damage == "garbage":
        await (await machine.store()).close()
        machine.nonces.write_bytes(b"not a database" * 1_000)
    elif damage == "missing folder":
        machine.nonces = tmp_path / "nowhere" / "secure-api.nonces"
    else:
        machine.database.write_bytes(b"not a database" * 1_000)
    store = FileNonceStore(machine.nonces, machine.database)
    with pytest.raises(DatabaseUnavailable):
        await store.open(NOW)
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
