"""An arm that is a server under load."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from experiments.instances.cpu_time import CpuTimes, spent
from experiments.servers.checks import check
from experiments.servers.connections import spread
from experiments.servers.load import CONNECTIONS, Traffic, drive
from experiments.servers.protection import Protection
from experiments.servers.requests import Client
from experiments.servers.server import Server
from experiments.servers.serving import Plan, served
from experiments.subject import Reading, Setting

#: A window is led in by this share of its requests, which do not count: other servers have emptied the caches.
LEAD: Final = 8
#: Of a handshake, and of larger bodies than this many bytes, there are fewer in a window.
HANDSHAKES: Final = 16
FULL_SIZE: Final = 65_536


def server_arm(
    protection: Protection,
    *,
    size: int = 1024,
    workers: int = 1,
    pinned: bool = True,
    application: str | None = None,
    least: int = CONNECTIONS,
) -> Callable[[Setting], "ServedRequests"]:
    """Give what prepares a server with `workers` processes; requests to it have a JSON body of `size` bytes.

    `pinned` and `application` as in `experiments.servers.serving.Plan`. Arms that differ in `size` alone share a
    server. A window has `least` requests or more, whatever the scale. Raises DefinitionError.
    """
    plan = Plan(protection, workers, pinned, application)
    return lambda setting: ServedRequests(plan, size, least, setting)


class ServedRequests:
    """A server, and a client that loads it: the subject of an arm. Its CPU time is the server's, its wall time ours.

    `extra` of its readings: `rate` (requests a second), `sent_bytes` and `received_bytes` a request, `latency_p50` and
    `latency_p99` (microseconds), `waited` (share of the window in which the server wanted a core in vain),
    `generator_cpu` (our own microseconds a request), `peak_memory_bytes` of the server so far, `total_cpu` (`cpu` and
    what PostgreSQL or Redis took for it).
    """

    def __init__(self, plan: Plan, size: int, least: int, setting: Setting) -> None:
        """Begin to start the server. Raises Unavailable when what it needs is not here."""
        self.loops: int = max(least, _loops(plan.protection, size, setting.scale.requests))
        with ExitStack() as stack:
            self._server = stack.enter_context(served(plan, setting))
            self._client = Client(plan.protection, self._server.port, size)
            self._stack = stack.pop_all()

    def check(self) -> None:
        """Show that the server keeps the bad out. Raises CheckFailed."""
        self._server.ready()
        check(self._client, self._server.workers)

    def measure(self, loops: int) -> Reading:
        """Send `loops` requests, after some that do not count. Raises ArmFailed."""
        self._server.ready()
        lead = max(CONNECTIONS, loops // LEAD)
        made = self._client.messages(lead + loops)
        window = Window(self._server)
        traffic = drive(
            spread(self._server.port, CONNECTIONS, self._server.workers),
            made[:lead],
            made[lead:],
            status=self._client.status,
            begin=window.begin,
            end=window.end,
        )
        return window.reading(loops, sum(map(len, made[lead:])), traffic)

    def close(self) -> None:
        """Stop the server, when no other arm uses it."""
        self._stack.close()


@dataclass(slots=True)
class Window:
    """What stood where when a window began, and what it took."""

    server: Server
    cpu: CpuTimes = field(default_factory=dict)
    service: CpuTimes = field(default_factory=dict)
    served: float = 0
    used: float = 0
    waited: float = 0
    own: float = 0
    wall: float = 0

    def begin(self) -> None:
        """Read the clocks; the one of the server first and last."""
        self.service = self.server.service_cpu()
        self.waited, self.own = self.server.waited(), time.process_time()
        self.cpu, self.wall = self.server.cpu(), time.perf_counter()

    def end(self) -> None:
        """Read them again."""
        self.wall = time.perf_counter() - self.wall
        self.used = spent(self.cpu, self.server.cpu())
        self.own = time.process_time() - self.own
        self.waited = self.server.waited() - self.waited
        self.served = spent(self.service, self.server.service_cpu())

    def reading(self, loops: int, sent: int, traffic: Traffic) -> Reading:
        """Say what it took."""
        latencies = sorted(traffic.latencies)
        return Reading(
            loops,
            cpu=self.used / loops * 1e6,
            wall=self.wall / loops * 1e6,
            extra={
                "rate": loops / self.wall,
                "latency_p50": latencies[loops // 2] * 1e6,
                "latency_p99": latencies[int(loops * 0.99)] * 1e6,
                "sent_bytes": sent / loops,
                "received_bytes": traffic.received / loops,
                "waited": self.waited / self.wall,
                "generator_cpu": self.own / loops * 1e6,
                "total_cpu": (self.used + self.served) / loops * 1e6,
                "peak_memory_bytes": self.server.peak_memory(),
            },
        )


def _loops(protection: Protection, size: int, requests: int) -> int:
    if protection.kind == "handshake":
        return requests // HANDSHAKES
    return requests * FULL_SIZE // max(size, FULL_SIZE)
