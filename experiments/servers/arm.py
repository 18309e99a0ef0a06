"""An arm that is a server under load."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crypto import CryptoError
from crypto.providers import oqs_library
from experiments.errors import Unavailable
from experiments.instances.affinity import move_to_core
from experiments.instances.cpu_time import CpuTimes, spent
from experiments.servers.bearer import public_pem
from experiments.servers.checks import check
from experiments.servers.home import Home, make_home
from experiments.servers.keys import client_key
from experiments.servers.load import drive
from experiments.servers.places import places_of
from experiments.servers.process import HOME, KEYS, PROTECTION
from experiments.servers.protection import Protection
from experiments.servers.requests import Client
from experiments.servers.route import body
from experiments.servers.server import Server
from experiments.subject import Reading, Setting

#: Requests before a window, which do not count: other servers have emptied the caches.
LEAD = 10  # a tenth of the window's


def server_arm(
    protection: Protection, *, size: int = 1024, workers: int = 1, pinned: bool = True
) -> Callable[[Setting], "ServedRequests"]:
    """Give what prepares a server with `workers` processes; requests to it have a JSON body of `size` bytes.

    `pinned`: the server has the core that the setting gives to servers; otherwise server and load run on any.
    """
    return lambda setting: ServedRequests(protection, size, workers, setting, pinned=pinned)


@dataclass(slots=True)
class _Window:
    """What stood where when a window began, and what it took."""

    cpu: CpuTimes = field(default_factory=dict)
    waited: float = 0
    own: float = 0
    wall: float = 0


class ServedRequests:
    """A server, and a client that loads it: the subject of an arm. Its CPU time is the server's, its wall time ours."""

    def __init__(self, protection: Protection, size: int, workers: int, setting: Setting, *, pinned: bool) -> None:
        """Start the server. Raises Unavailable when what it needs is not here."""
        # A handshake takes as long as a hundred requests.
        self.loops: int = setting.scale.requests // (6 if protection.kind == "handshake" else 1)
        folder = setting.folder
        if protection.provider == "oqs" and oqs_library.find_library() is None:
            raise Unavailable("native liboqs is not here")
        with contextlib.ExitStack() as stack:
            home = _home(stack, folder, protection)
            _write_keys(folder, protection)
            (folder / PROTECTION).write_text(protection.to_json())
            self._server = Server(folder, workers, setting.server_core if pinned else None)
            if not pinned:
                move_to_core(os.getpid(), None)
            stack.callback(self._server.stop)
            self._client = Client(protection, f"127.0.0.1:{self._server.port}", body(size), home)
            self._stack = stack.pop_all()

    def check(self) -> None:
        """Show that the server keeps the bad out. Raises CheckFailed."""
        check(self._client, self._server.port)

    def measure(self, loops: int) -> Reading:
        """Send `loops` requests, after some that do not count."""
        lead = max(1, loops // LEAD)
        made = self._client.messages(lead + loops)
        port, status = self._server.port, self._client.status
        drive(port, made[:lead], status=status, begin=lambda: None, end=lambda: None)
        window, server = _Window(), self._server

        def begin() -> None:
            window.cpu, window.waited = server.cpu(), server.waited()
            window.own, window.wall = time.process_time(), time.perf_counter()

        def end() -> None:
            window.wall = time.perf_counter() - window.wall
            window.own = time.process_time() - window.own
            window.waited = server.waited() - window.waited

        traffic = drive(port, made[lead:], status=status, begin=begin, end=end)
        used = spent(window.cpu, server.cpu())
        latencies = sorted(traffic.latencies)
        return Reading(
            loops,
            cpu=used / loops * 1e6,
            wall=window.wall / loops * 1e6,
            extra={
                "rate": loops / window.wall,
                "latency_p50": latencies[loops // 2] * 1e6,
                "latency_p99": latencies[int(loops * 0.99)] * 1e6,
                "sent_bytes": sum(map(len, made[lead:])) / loops,
                "received_bytes": traffic.received / loops,
                "waited": window.waited / window.wall,
                "generator_cpu": window.own / loops * 1e6,
                "peak_memory_bytes": server.peak_memory(),
            },
        )

    def close(self) -> None:
        """Stop the server and what it stands on."""
        self._stack.close()


def _home(stack: contextlib.ExitStack, folder: Path, protection: Protection) -> Home | None:
    if not protection.ours:
        return None
    places = stack.enter_context(places_of(protection.store))
    try:
        return make_home(folder / HOME, protection, folder.parent / "template", **places)
    except CryptoError as error:
        raise Unavailable(str(error)) from error


def _write_keys(folder: Path, protection: Protection) -> None:
    keys: dict[str, str] = {}
    if protection.kind == "bearer":
        keys = {"pem": public_pem(protection.algorithm)}
    elif protection.kind == "http-message-signatures":
        try:
            import http_message_signatures  # noqa: F401 - asked for before a server needs it
        except ModuleNotFoundError as error:
            raise Unavailable("http-message-signatures is not installed: secure-api[experiments] has it") from error
        keys = {"raw": client_key(protection.algorithm).public_key.raw.hex()}
    (folder / KEYS).write_text(json.dumps(keys))
