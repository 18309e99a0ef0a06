"""The processes of the tests: started, watched, and always swept up."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.services.fixtures.port import free_port
from tests.services.fixtures.process import ProcessRunner

SERVE = (
    "import sys\n"
    "from http.server import BaseHTTPRequestHandler, HTTPServer\n"
    "HTTPServer(('127.0.0.1', int(sys.argv[1])), BaseHTTPRequestHandler).serve_forever()\n"
)
PARENT_OF_SLEEPER = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(3600)\n"
)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_server_is_reached_and_terminated(run_process: ProcessRunner) -> None:
    port = free_port()
    server = run_process(sys.executable, "-c", SERVE, str(port))
    server.wait_for_port(port)
    assert server.returncode is None
    assert server.terminate() == -signal.SIGTERM


def test_a_server_that_dies_at_start_fails_the_test_with_its_output(run_process: ProcessRunner) -> None:
    server = run_process(sys.executable, "-c", "raise SystemExit('no configuration')")
    with pytest.raises(pytest.fail.Exception, match=r"exit status 1 (.|\n)*no configuration"):
        server.wait_for_port(free_port())


def test_the_environment_is_added_to(run_process: ProcessRunner) -> None:
    script = "import os; print(os.environ['GREETING'], 'PATH' in os.environ)"
    process = run_process(sys.executable, "-c", script, env={"GREETING": "hello"})
    assert process.wait() == 0
    assert process.output() == "hello True\n"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_nothing_outlives_the_runner(tmp_path: Path) -> None:
    runner = ProcessRunner(tmp_path / "processes")
    parent = runner(sys.executable, "-c", PARENT_OF_SLEEPER)
    while not (written := parent.output()).endswith("\n"):
        assert parent.returncode is None, written
    child = int(written)
    assert _is_running(child)
    runner.stop_all()
    assert not _is_running(parent.pid)
    while _is_running(child):
        os.sched_yield()
