"""One session of compute parties, as processes on this machine: what the arms of `multiparty` are."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from crypto import LibraryMissing, SealingPrivateKey, SealingPublicKey
from crypto.libraries import require
from crypto.mpc import Deadlines, MpcTerms, box_bytes, run_local, seal_contribution
from experiments.errors import CheckFailed, Unavailable
from experiments.subject import Operation, Reading, Setting

DEADLINES = Deadlines(connect=120.0, round=120.0, total=600.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """One session: seconds from agreement to agreement, bytes that one party sent, and what came out."""

    seconds: float
    bytes_sent: float
    values: NDArray[numpy.float64]


class Sessions:
    """A subject whose operation is one session of `run`, with the start of its processes; `cpu` is that of all of them.

    `session` (microseconds) is the time from agreement to agreement, without the start.
    """

    loops = 1

    def __init__(self, run: Callable[[], Measured], expected: NDArray[numpy.float64], tolerance: float = 0.0) -> None:
        try:
            require("multi-party studies", "numpy", "mpyc")
        except LibraryMissing as error:
            raise Unavailable(str(error)) from None
        self._run, self._expected, self._tolerance = run, expected, tolerance

    def check(self) -> None:
        """Show that a session opens what numpy computes of the same values. Raises CheckFailed."""
        found = self._run().values
        if found.shape != self._expected.shape or abs(found - self._expected).max() > self._tolerance:
            raise CheckFailed("the parties' result is not that of numpy")

    def measure(self, loops: int) -> Reading:
        """Run some sessions, one after the other."""
        began, spent, session, sent = time.perf_counter(), _children(), 0.0, 0.0
        for _ in range(loops):
            measured = self._run()
            session += measured.seconds
            sent += measured.bytes_sent
        micro = 1e6 / loops
        wall = (time.perf_counter() - began) * micro
        extra = {"sent_bytes": sent / loops, "session": session * micro}
        return Reading(loops, (_children() - spent) * micro, wall, extra)

    def close(self) -> None:
        """Nothing is left."""


def product(terms: MpcTerms, setting: Setting) -> Sessions:
    """Prepare the product's way: seal, open, compute, for a contribution of each party's organization."""
    rows = _rows(terms, setting)
    scale = terms.scale
    rounded = numpy.rint(numpy.array(rows) * scale) / scale
    references: dict[str, Callable[[], NDArray[numpy.float64]]] = {
        "sum": lambda: rounded.sum(axis=0),
        "mean": lambda: rounded.mean(axis=0),
        "variance": lambda: rounded.var(axis=0),
        "max": lambda: rounded.max(axis=0),
        "quantile": lambda: numpy.quantile(rounded, 0.5, axis=0, method="inverted_cdf"),
        "comparison-count": lambda: (rounded > 0).sum(axis=0).astype(float),
    }

    def run() -> Measured:
        result = run_local(terms, rows, DEADLINES)
        return Measured(result.seconds, result.bytes_sent, result.values)

    return Sessions(run, references[terms.statistic](), 1e-9)


def bare(length: int, parties: int, setting: Setting) -> Sessions:
    """Prepare MPyC's way: `experiments.multiparty.bare`, whose result is the sum of all sums."""
    expected = parties * length * (length - 1) / 2 + length * parties * (parties - 1) / 2

    def run() -> Measured:
        command = [sys.executable, "-m", "experiments.multiparty.bare", f"-M{parties}", "-B", str(_free_ports(parties))]
        environment = os.environ | {"VECTOR_LENGTH": str(length)}
        done = subprocess.run(  # noqa: S603 - our own module, by this interpreter
            [*command, "--no-log"], env=environment, capture_output=True, check=True, text=True
        )
        seconds, sent, total = done.stdout.strip().splitlines()[-1].split()
        return Measured(float(seconds), float(sent), numpy.array([float(total)]))

    return Sessions(run, numpy.array([expected]))


def contributing(terms: MpcTerms, setting: Setting) -> Operation:
    """Prepare what a contributor does: encode, share, and seal a box for each party."""
    keys = [SealingPublicKey(SealingPrivateKey(setting.random.randbytes(32)).public_key) for _ in range(terms.parties)]
    (values, *_) = _rows(terms, setting)
    size = len("contributor") + 1 + terms.parties * box_bytes(terms)

    def check(content: object) -> None:
        if not isinstance(content, bytes) or len(content) != size:
            raise CheckFailed("a contribution is not as long as its boxes")

    def seal() -> bytes:
        return seal_contribution(terms, values, "contributor", keys, os.urandom)

    return Operation(seal, check, {"contribution_bytes": size})


def _rows(terms: MpcTerms, setting: Setting) -> list[NDArray[numpy.float64]]:
    random = numpy.random.default_rng(setting.random.getrandbits(64))
    return [random.uniform(terms.low, terms.high, terms.dimension) for _ in range(terms.parties)]


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _free_ports(count: int) -> int:
    """Give the first of some consecutive ports that nobody listens on now."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
        try:
            for number in range(count):
                socket.create_server(("127.0.0.1", port + number)).close()
        except (OSError, OverflowError):
            continue
        return port
