"""`secure-api serve`: one line says where, several workers are one server, and what cannot start says why."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from crypto.providers import oqs_library
from tests.cli.program import Program
from tests.cli.serving import Serving, ask, serving

DOCUMENT = "/.well-known/secure-api"


def uncovered(home: Path) -> int:
    """How many ledger entries no signed head covers yet."""
    with closing(sqlite3.connect(home / "secure-api.db")) as database:
        ((last,),) = database.execute("SELECT max(sequence) FROM ledger_entries")
        ((head,),) = database.execute("SELECT max(sequence) FROM ledger_heads")
        return int(last) - int(head)


def test_one_worker(installed: Program) -> None:
    mask = os.umask(0o022)
    try:
        with serving(installed, "--access-log") as server:
            installed("organizations", "create", "clinic").ok()
            assert server.get("/readyz")
            assert uncovered(installed.home) == 1
            assert server.end(signal.SIGTERM) == 0
    finally:
        os.umask(mask)
    assert server.process.stdout.read_text() == f"secure-api serves on {server.url} (1 worker)\n"
    assert '"/readyz"' in server.log()
    assert "Traceback" not in server.log()
    assert uncovered(installed.home) == 0
    assert [path.name for path in installed.home.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    installed("ledger", "verify").ok()


def test_one_worker_and_ctrl_c(installed: Program) -> None:
    with serving(installed, "--no-access-log", env={"SECURE_API_ACCESS_LOG": "true"}) as server:
        assert server.get("/readyz")
        assert server.interrupt() == 130
    assert "/readyz" not in server.log()
    assert "Traceback" not in server.log()
    assert uncovered(installed.home) == 0


def test_sigterm_while_it_starts(installed: Program, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output, installed.start("serve", "--port", "0", stdout=output, stderr=output) as process:
        while b"serves on" not in log.read_bytes():
            time.sleep(0.001)
        process.terminate()
        assert process.wait() in {0, -signal.SIGTERM}
    assert "Traceback" not in log.read_text()


def test_two_workers_are_one_server(installed: Program) -> None:
    with serving(installed, workers=2) as server:
        assert len(set(server.worker_pids())) == 2
        asked = ask_every_worker(server)
        assert requests_counted(server) == asked
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_until_ready(3)
        assert len(set(server.worker_pids())) == 3
        assert requests_counted(server) == asked
        installed("organizations", "create", "clinic").ok()
        assert server.end(signal.SIGTERM) == 0
        assert [pid for pid in server.worker_pids() if Path(f"/proc/{pid}").exists()] == []
    assert server.process.stdout.read_text() == f"secure-api serves on {server.url} (2 workers)\n"
    assert "Traceback" not in server.log()
    assert uncovered(installed.home) == 0


def test_a_liboqs_that_cannot_be_loaded_is_one_warning(installed: Program, tmp_path: Path) -> None:
    library = tmp_path / "lib" / "liboqs.so"
    library.parent.mkdir()
    library.write_text("garbage\n")
    with serving(installed, workers=2, env={"OQS_INSTALL_PATH": str(tmp_path)}) as server:
        server.wait_until_ready(2)
    lines = [json.loads(line) for line in server.log().splitlines()]
    (warning,) = (line for line in lines if line["level"] == "warning")
    assert warning["event"] == "liboqs is there and cannot be used"
    assert warning["reason"] == f"{library} cannot be loaded: file too short"
    assert {line["provider"] for line in lines if line["event"] == "ready"} == {"openssl"}


@pytest.mark.oqs
@pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine")
def test_ready_names_the_provider_that_verifies(installed: Program) -> None:
    with serving(installed) as server:
        (ready,) = (line for line in map(json.loads, server.log().splitlines()) if line["event"] == "ready")
    assert ready["provider"] == "oqs"


def test_two_workers_and_ctrl_c(installed: Program) -> None:
    with serving(installed, workers=2) as server:
        assert server.interrupt() == 130
    assert "Traceback" not in server.log()


def ask_every_worker(server: Serving) -> int:
    """Ask over many connections until every worker has answered; gives how often was asked."""
    asked, answered = 0, set[int]()
    while len(answered) < len(server.worker_pids()):
        connections = [server.connect() for _ in range(8)]
        threads = [threading.Thread(target=_read, args=(connection,)) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answered |= {server.worker_of(connection) for connection in connections}
        asked += len(connections)
        for connection in connections:
            connection.close()
    return asked


def _read(connection: HTTPConnection) -> None:
    assert ask(connection, DOCUMENT).read()


def requests_counted(server: Serving) -> float:
    """What the metrics say of the requests for the discovery document, added up over the workers."""
    lines = server.get("/metrics").splitlines()
    counted = [line for line in lines if line.startswith("http_requests_total{") and f'handler="{DOCUMENT}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in counted)


def test_a_port_in_use_is_one_line(installed: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = installed.spawn("serve", "--port", str(port), "--workers", "2")
        done.failed(1, f"cannot listen on 127.0.0.1:{port}", "in use", "--port")
        assert done.out == ""


def test_a_name_that_is_no_host_is_one_line(installed: Program) -> None:
    installed("serve", "--port", "0", "--host", "a" * 70).failed(1, f"cannot listen on {'a' * 70}")


@pytest.mark.parametrize(("host", "where"), [("203.0.113.1", "203.0.113.1:0"), ("2001:db8::1", "[2001:db8::1]:0")])
def test_an_address_of_another_machine_is_one_line(installed: Program, host: str, where: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 here")
    done = installed("serve", "--port", "0", "--host", host)
    said = done.failed(
        1, f"cannot listen on {where}: no address of this machine", "hint: 0.0.0.0 listens on every"
    ).said
    assert "--port" not in said


def test_a_home_that_is_not_initialized_is_one_line(program: Program) -> None:
    program.spawn("serve", "--port", "0").failed(1, "is not initialized", f"secure-api init --home {program.home}")
    assert not program.home.exists()


def test_a_passphrase_that_does_not_open_the_servers_key_is_one_line(program: Program, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery")
    secret.chmod(0o600)
    assert "--passphrase-file" in program("init", "--passphrase-file", secret).ok().said
    program("serve", "--port", "0").failed(7, "passphrase")
    program("serve", "--port", "0", env={"SECURE_API_PASSPHRASE": "wrong horse battery"}).failed(7, "wrong")
    host, shown = ("::1", "[::1]") if has_ipv6() else ("localhost", "127.0.0.1")
    with serving(program, "--passphrase-file", str(secret), "--host", host) as server:
        assert server.host == shown
        assert server.get("/readyz")


def has_ipv6() -> bool:
    """Whether this machine has ::1."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECURE_API_SIGNATURE_MAX_WINDOW", "9999"),
        ("SECURE_API_LOG_LEVEL", "loud"),
        ("SECURE_API_PASSPHRASE", "short"),
        ("SECURE_API_AUTHORITIES", "[]x"),
    ],
)
def test_a_setting_that_is_none_is_one_line(installed: Program, variable: str, value: str) -> None:
    said = installed("serve", "--port", "0", env={variable: value}).failed(1, variable).said
    assert value not in said or variable == "SECURE_API_LOG_LEVEL"


def test_a_database_that_is_none_is_one_line(installed: Program) -> None:
    for url in (
        "mysql://db/x",
        "nonsense",
        "sqlite+aiosqlite:////proc/none/x.db",
        "postgresql+asyncpg://127.0.0.1:1/x",
    ):
        installed("serve", "--port", "0", env={"SECURE_API_DATABASE_URL": url}).failed(1)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_cannot_start_says_so_in_the_end(installed: Program, workers: str) -> None:
    (installed.home / "secure-api.nonces").mkdir()
    log = installed.home.parent / "log"
    with log.open("wb") as output:
        process = installed.start("serve", "--port", "0", "--workers", workers, stdout=output, stderr=output)
        assert process.wait() == 1
    lines = log.read_text().splitlines()
    assert lines[-2:] == ["error: the server did not start", "hint: its log, above, says why"]
    assert [line for line in lines if line.startswith(("Traceback", "  File"))] == []


def test_a_database_of_another_version_is_one_line(installed: Program) -> None:
    with closing(sqlite3.connect(installed.home / "secure-api.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    installed("serve", "--port", "0").failed(1, "revision 9999")
