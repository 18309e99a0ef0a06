"""A server's processes: where they run, what is counted of them, and that they end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from experiments import ArmFailed, Setting
from experiments.instances.cpu_time import spent
from experiments.servers.arm import server_arm
from experiments.servers.connections import connect, spread
from experiments.servers.protection import Protection
from experiments.servers.serving import Plan, served
from tests.unit.experiments.servers.conftest import BRIEF, Prepare

PLAIN = Protection("none")
HOLDING = """
import random, sys, time
from pathlib import Path
from experiments import QUICK, Setting
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

subject = server_arm(Protection("none"), workers=int(sys.argv[2]))(Setting(QUICK, Path(sys.argv[1]), random.Random(1)))
subject.check()
print(subject._server.pid, flush=True)
time.sleep(3600)
"""


def below(pid: int) -> list[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_process_outlives_whoever_started_it(tmp_path: Path, workers: int) -> None:
    command = [sys.executable, "-c", HOLDING, str(tmp_path), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            processes = below(int(holder.stdout.readline()))
            assert len(processes) >= workers
        finally:
            holder.kill()  # whatever failed: leaving the block waits for it
    gone, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    assert len(gone) == len(processes)


def test_a_server_whose_loop_hangs_ends_too(tmp_path: Path, prepare: Prepare) -> None:
    application = tmp_path / "hanging.py"
    application.write_text(
        """
import signal
from experiments.servers.route import make_app

def build(folder):
    app = make_app()

    @app.post("/hang")
    async def hang():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        while True:
            pass

    return app
"""
    )
    subject = prepare(PLAIN, application=f"{application}:build")
    subject.check()
    processes = below(subject._server.pid)
    with connect(subject._server.port) as connection:
        connection.sendall(b"POST /hang HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n")
        subject.close()
    subject._server.stop()
    assert not psutil.wait_procs(processes, timeout=60)[1]


def test_cpu_time_of_a_killed_server_is_no_reading(prepare: Prepare) -> None:
    subject = prepare(PLAIN, size=2048, pinned=False)
    subject.check()
    before = subject._server.cpu()
    subject.measure(16)
    assert 0 < spent(before, subject._server.cpu()) < 10
    os.kill(subject._server.pid, signal.SIGKILL)
    subject._server._process.wait()
    with pytest.raises(ArmFailed, match=r"^a server process ended"):
        subject._server.cpu()
    with pytest.raises(ArmFailed, match=r"^the server has ended"):
        subject.measure(16)
    with pytest.raises(ArmFailed, match=r"^the server takes no connection"):
        connect(subject._server.port)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
@pytest.mark.parametrize(("protection", "workers"), [(Protection("session"), 1), (PLAIN, 2)])
def test_all_threads_of_a_server_run_on_its_core(tmp_path: Path, protection: Protection, workers: int) -> None:
    core = max(os.sched_getaffinity(0))
    setting = Setting(BRIEF, tmp_path, random.Random(1), server_core=core)
    subject = server_arm(protection, workers=workers, size=77)(setting)
    try:
        subject.check()  # a session makes threads for the database
        threads = [thread.id for process in below(subject._server.pid) for thread in process.threads()]
        assert {frozenset(os.sched_getaffinity(thread)) for thread in threads} == {frozenset({core})}
    finally:
        subject.close()


def test_every_worker_gets_as_many_connections(prepare: Prepare) -> None:
    subject = prepare(PLAIN, workers=2)
    subject.check()
    server = subject._server
    connections = spread(server.port, 16, 2)
    try:
        listening = {connection.getsockname() for connection in connections}
        held = [
            sum(one.raddr in listening for one in process.net_connections(kind="tcp"))
            for process in psutil.Process(server.pid).children(recursive=True)
        ]
        assert sorted(count for count in held if count) == [8, 8]
    finally:
        for connection in connections:
            connection.close()
    reading = subject.measure(32)
    subject.check()
    assert reading.extra["peak_memory_bytes"] > 60e6


def test_scale_and_core_do_not_make_another_server(tmp_path: Path) -> None:
    setting = Setting(BRIEF, tmp_path, random.Random(1))
    plan = Plan(Protection("bearer", "RS256", once=False))
    with served(plan, setting) as one, served(plan, replace(setting, server_core=0)) as other:
        assert one is other
        one.ready()
    one.stop()
    assert one._process.poll() is not None
