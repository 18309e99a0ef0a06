"""One server under load: its process, and what it has used."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil

from experiments.errors import ArmFailed
from experiments.instances.cpu_time import CpuTimes, cpu_times
from experiments.instances.tether import end_tethered
from experiments.instances.version import one_line
from experiments.servers.connections import spread
from experiments.servers.process import ANYWHERE

_BACKLOG: Final = 256
_PATIENCE: Final = 60.0  # seconds that a server may take to start
_GRACE: Final = 10.0  # seconds that it may take to end
_LOOK: Final = 0.5
_HANDED_ON: Final = ("OQS_INSTALL_PATH", "PYTHONPATH", "HOME", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


class Server:
    """A server process on `core` (None: anywhere); it ends with this process, however that ends.

    Connections to `port` wait until it has started; `ready` waits for that.
    """

    def __init__(self, folder: Path, workers: int, core: int | None, service: int | None = None) -> None:
        """Start it, without waiting: several servers start at the same time.

        `service` is the root of the processes elsewhere that it has state in.
        """
        self.workers, self.service = workers, service
        self._log = folder / "log"
        self._pids: CpuTimes = {}
        handed = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        where = ANYWHERE if core is None else str(core)
        with socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) as listener:
            self.port: int = listener.getsockname()[1]
            arguments = [str(folder), str(listener.fileno()), str(workers), where]
            with self._log.open("wb") as output:
                self._process = subprocess.Popen(  # noqa: S603 - ours
                    [sys.executable, "-P", "-m", "experiments.servers.process", *arguments],
                    cwd=folder,
                    env={"PATH": os.defpath, "LC_ALL": "C", **handed},
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=(listener.fileno(),),
                )

    @property
    def pid(self) -> int:
        """The root of its processes."""
        return self._process.pid

    def ready(self) -> None:
        """Wait until all of its workers answer. Raises ArmFailed with its last words when it has ended."""
        if self._pids:
            if self._process.poll() is not None:
                raise ArmFailed(f"the server has ended: {self._words()}")
            return
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ArmFailed(f"the server did not start: {self._words()}")
        if self.workers > 1:  # one of them has answered
            for connection in spread(self.port, self.workers, self.workers):
                connection.close()
        self._pids = cpu_times(self.pid)

    def cpu(self) -> CpuTimes:
        """CPU seconds of every process, by id. Raises ArmFailed when one has ended."""
        now = cpu_times(self.pid, self._pids)
        if now.keys() != self._pids.keys():
            raise ArmFailed(f"a server process ended: {self._words()}")
        return now

    def service_cpu(self) -> CpuTimes:
        """CPU seconds of the processes that it has state in, by id; to look for them takes milliseconds."""
        return {} if self.service is None else cpu_times(self.service)

    def waited(self) -> float:
        """Seconds that the threads of a worker wanted a core and had none, on average over the workers.

        0 where the system does not say; Linux does.
        """
        total = 0
        for pid in self._pids:
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError, IndexError):
                    total += int(task.read_text().split()[1])
        return total / 1e9 / self.workers

    def peak_memory(self) -> float:
        """Bytes that its processes had at most, together: the kernel's high-water mark, or what they have now."""
        return float(sum(_peak(pid) for pid in self._pids))

    def ask_to_end(self) -> None:
        """Let it end, without waiting: several servers end at the same time."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def stop(self) -> None:
        """End it, and wait for that."""
        end_tethered(self._process, grace=_GRACE)

    def _answers(self) -> bool:
        """Send something to be answered in any way; False if nothing comes for a while."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=_LOOK) as one:
            one.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
            return bool(one.recv(1))
        time.sleep(0.01)
        return False

    def _words(self) -> str:
        return one_line(self._log.read_text(errors="replace")) or "it said nothing"


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
