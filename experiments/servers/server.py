"""One server under load: its process, and what it has used."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from experiments.errors import ArmFailed, Unavailable
from experiments.instances.affinity import move_to_core
from experiments.instances.cpu_time import CpuTimes, cpu_times
from experiments.instances.port import free_port
from experiments.instances.tether import end_tethered, start_tethered
from experiments.instances.version import one_line

_ATTEMPTS: Final = 5
_PATIENCE: Final = 60.0  # seconds that a server may take to start
_HANDED_ON: Final = ("OQS_INSTALL_PATH", "PYTHONPATH", "HOME", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


class Server:
    """A server process, started on `core` (None: anywhere); it ends with this process, however that ends."""

    def __init__(self, folder: Path, workers: int, core: int | None) -> None:
        """Start it. Raises Unavailable with its last words when it does not start."""
        self.port = 0
        self._log = folder / "log"
        for _ in range(_ATTEMPTS):
            port = free_port()
            self._process = self._start(folder, port, workers)
            if self._answers(port):
                self.port = port
                break
            self.stop()
            if b"address already in use" not in self._log.read_bytes().lower():
                break
        if not self.port:
            raise Unavailable(f"the server did not start: {one_line(self._log.read_text(errors='replace'))}")
        move_to_core(self._process.pid, core)
        self._pids = cpu_times(self._process.pid)
        if workers > 1:  # the parent answers before its children do
            self._wait_for_workers(workers, core)

    def cpu(self) -> CpuTimes:
        """CPU seconds of every process, by id. Raises ArmFailed when one has ended."""
        now = cpu_times(self._process.pid, self._pids)
        if now.keys() != self._pids.keys():
            raise ArmFailed(f"a server process ended: {one_line(self._log.read_text(errors='replace'))}")
        return now

    def waited(self) -> float:
        """Seconds that its threads wanted a core and had none; 0 where the system does not say (Linux does)."""
        total = 0
        for pid in self._pids:
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError, IndexError):
                    total += int(task.read_text().split()[1])
        return total / 1e9

    def peak_memory(self) -> float:
        """Bytes that its processes had at most, together: the kernel's high-water mark, or what they have now."""
        total = 0
        for pid in self._pids:
            with contextlib.suppress(OSError, StopIteration):
                status = Path(f"/proc/{pid}/status").read_text().splitlines()
                total += int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024
                continue
            with contextlib.suppress(psutil.Error):
                total += psutil.Process(pid).memory_info().rss
        return float(total)

    def stop(self) -> None:
        """End it."""
        end_tethered(self._process, grace=10)

    def _start(self, folder: Path, port: int, workers: int) -> "subprocess.Popen[bytes]":
        handed = [f"{name}={os.environ[name]}" for name in _HANDED_ON if name in os.environ]
        command = [sys.executable, "-m", "experiments.servers.process", str(folder), str(port), str(workers)]
        return start_tethered(["/usr/bin/env", *handed, *command], self._log, {})

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            time.sleep(0.02)
        return False

    def _wait_for_workers(self, workers: int, core: int | None) -> None:
        """Wait until as many children hold the listening socket as there are to be, and have settled."""
        deadline, settled = time.monotonic() + _PATIENCE, 0
        while settled < 3:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise Unavailable(f"the workers did not start: {one_line(self._log.read_text(errors='replace'))}")
            before = cpu_times(self._process.pid)
            time.sleep(0.2)
            after = cpu_times(self._process.pid)
            still = before.keys() == after.keys() and sum(after.values()) - sum(before.values()) < 0.02
            settled = settled + 1 if still and len(after) > workers else 0
        move_to_core(self._process.pid, core)
        self._pids = cpu_times(self._process.pid)
