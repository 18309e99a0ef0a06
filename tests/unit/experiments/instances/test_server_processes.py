"""What is known of a private server's processes: CPU time, cores, versions, and that they end."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from experiments.errors import Unavailable
from experiments.instances.affinity import move_to_core
from experiments.instances.cpu_time import cpu_times, spent
from experiments.instances.installed import installed_versions
from experiments.instances.tether import end_tethered, start_tethered
from experiments.instances.version import version_of

BUSY = (
    "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(3600)\n"
)


def test_a_server_that_ignores_its_end_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start_tethered([sys.executable, "-c", BUSY], tmp_path / "log", {})
    while log.read_bytes() != b"ready\n":
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    below = psutil.Process(process.pid).children(recursive=True)
    assert any("python" in one.name() for one in below)
    end_tethered(process, grace=0.05)
    assert process.returncode == -signal.SIGKILL
    assert not psutil.wait_procs(below, timeout=60)[1]
    end_tethered(process)  # a second time does no harm


@pytest.mark.parametrize("heeds", [True, False])
def test_a_server_whose_starter_was_killed_ends_though_its_folder_is_gone(tmp_path: Path, heeds: bool) -> None:
    log = tmp_path / "log"
    heeding = BUSY.replace("SIG_IGN", "SIG_DFL") if heeds else BUSY
    process = start_tethered([sys.executable, "-c", heeding], log, {}, temporary=tmp_path / "gone", grace=1)
    while log.read_bytes() != b"ready\n":
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    below = psutil.Process(process.pid).children(recursive=True)
    assert process.stdin is not None
    process.stdin.close()  # as the end of a process closes it: without a word
    assert not psutil.wait_procs(below, timeout=60)[1]
    assert process.wait(60) == 128 + (signal.SIGINT if heeds else signal.SIGKILL)


def test_cpu_time_grows_with_the_work_of_every_process_below(tmp_path: Path) -> None:
    work = "x = 0; exec('while x < 300000: x += 1'); print('done', flush=True); import time; time.sleep(3600)"
    log = tmp_path / "log"
    process = start_tethered([sys.executable, "-c", work], log, {})
    try:
        before = cpu_times(process.pid)
        while log.read_bytes() != b"done\n":
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        after = cpu_times(process.pid)
        assert set(cpu_times(process.pid, known=before)) == set(before)
        assert 0.001 < sum(after.values()) < 60
    finally:
        end_tethered(process, grace=0)
    assert cpu_times(process.pid, known={process.pid: 0.0}) == {}
    with pytest.raises(Unavailable, match="has ended"):
        cpu_times(process.pid)


def test_what_only_one_look_saw_is_not_counted() -> None:
    assert spent({1: 1.0, 2: 5.0}, {1: 1.5, 3: 9.0}) == 0.5


def test_cpu_time_is_finer_than_a_tick() -> None:
    before = cpu_times(os.getpid())
    sum(range(20_000))
    assert 0 < spent(before, cpu_times(os.getpid(), before)) < 5


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
def test_a_server_is_moved_to_a_core_and_back(tmp_path: Path) -> None:
    core, *_ = usable = sorted(os.sched_getaffinity(0))
    process = start_tethered([sys.executable, "-c", BUSY], tmp_path / "log", {})
    try:
        while not (tmp_path / "log").read_bytes():
            assert process.poll() is None
            time.sleep(0.01)
        below = [one.pid for one in psutil.Process(process.pid).children(recursive=True)]
        move_to_core(process.pid, core)
        assert [os.sched_getaffinity(pid) for pid in below] == [{core}] * len(below)
        move_to_core(process.pid, None)
        assert all(os.sched_getaffinity(pid) >= set(usable) for pid in below)
    finally:
        end_tethered(process, grace=0)
    move_to_core(process.pid, core)  # it has ended: nothing to move


def test_versions_of_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(version.count(".") in {1, 2} for version in installed_versions().values())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    assert installed_versions() == {}


def test_a_program_that_tells_no_version(tmp_path: Path) -> None:
    assert version_of(tmp_path / "missing") is None
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)
    assert version_of(silent) is None
