"""What an arm measures, alive in its own process."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from experiments.errors import CheckFailed
from experiments.scale import Scale

#: Called before and after a window: returns the times spent so far, CPU and wall, in seconds.
Clock = Callable[[], tuple[float, float]]


def process_clock() -> tuple[float, float]:
    """CPU time of all threads of this process (user and system) and wall time, in seconds."""
    return time.process_time(), time.perf_counter()


@dataclass(frozen=True, slots=True)
class Setting:
    """What an arm is prepared with."""

    scale: Scale
    folder: Path  # private to the arm, there already, removed after the run
    random: random.Random  # seeded: the same for every run of the same seed
    server_core: int | None = None  # where a server is to run; None: anywhere
    load_core: int | None = None  # where its load comes from; None: anywhere


@dataclass(frozen=True, slots=True)
class Reading:
    """One window of one arm.

    `cpu` and `wall` are microseconds per operation (of the whole window divided by `loops`). `extra` holds whatever
    else the arm measures, by name: `sent_bytes` and `received_bytes` per operation, `peak_memory_bytes` of its process,
    `latency_p50` and `latency_p99` in microseconds, `rate` per second, `waited` (share of the window in which it wanted
    a core in vain).
    """

    loops: int
    cpu: float
    wall: float
    extra: Mapping[str, float] = field(default_factory=dict)


class Subject(Protocol):
    """An arm that was prepared.

    One that knows how many operations belong in a window has an attribute `loops: int`; it is asked for that number and
    doubles of it, and leads its windows in by itself. For the others a number is found that fills a window.
    """

    def check(self) -> None:
        """Show that it does what it is timed for, and refuses what it must refuse. Raises CheckFailed."""

    def measure(self, loops: int) -> Reading:
        """Do `loops` operations and say what they took."""

    def close(self) -> None:
        """Give back what it holds."""


@dataclass(slots=True)
class Operation:
    """A subject that is a call in this process.

    `call` is one operation; `verify` looks at what it returned and raises (CheckFailed or anything else) when that is
    wrong. `constants` are quantities that do not change from window to window, such as sizes in bytes.
    """

    call: Callable[[], object]
    verify: Callable[[object], None]
    constants: Mapping[str, float] = field(default_factory=dict)
    clock: Clock = process_clock
    done: Callable[[], None] = lambda: None

    def check(self) -> None:
        """Run the operation once and look at its result."""
        try:
            self.verify(self.call())
        except CheckFailed:
            raise
        except Exception as error:
            raise CheckFailed(f"{type(error).__name__}: {error}") from error

    def measure(self, loops: int) -> Reading:
        """Time `loops` calls; the loop itself costs some 20 ns a call, which is part of the figure."""
        call, steps = self.call, range(loops)
        cpu, wall = self.clock()
        for _ in steps:
            call()
        cpu_after, wall_after = self.clock()
        micro = 1e6 / loops
        return Reading(loops, (cpu_after - cpu) * micro, (wall_after - wall) * micro, self.constants)

    def close(self) -> None:
        """End whatever the operation used."""
        self.done()
