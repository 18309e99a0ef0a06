"""A subject that is fed: what it needs is made before the clock runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import perf_counter_ns
from typing import Final, Generic, TypeVar

from experiments.errors import CheckFailed
from experiments.subject import Clock, Reading, process_clock

T = TypeVar("T")

ALONE: Final = 500  # calls at most, and a quarter of the window's


@dataclass(slots=True)
class Fed(Generic[T]):
    """Calls `call` with one item after the other of an endless supply.

    Beside the mean of a window it measures `latency_p50` and `latency_p99` in microseconds of wall time, over up to 500
    more calls that are timed one by one. `verify` raises when what was called does not do what it is timed for.
    """

    call: Callable[[T], object]
    supply: Iterator[T]
    verify: Callable[[], None]
    clock: Clock = process_clock
    done: Callable[[], None] = lambda: None

    def check(self) -> None:
        """Let `verify` look."""
        try:
            self.verify()
        except CheckFailed:
            raise
        except Exception as error:
            raise CheckFailed(f"{type(error).__name__}: {error}") from error

    def measure(self, loops: int) -> Reading:
        """Time `loops` calls, then some one by one."""
        call = self.call
        items = list(islice(self.supply, loops))
        cpu, wall = self.clock()
        for item in items:
            call(item)
        cpu_after, wall_after = self.clock()
        each = []
        for item in list(islice(self.supply, max(1, min(loops // 4, ALONE)))):
            start = perf_counter_ns()
            call(item)
            each.append((perf_counter_ns() - start) / 1e3)
        each.sort()
        micro = 1e6 / loops
        extra = {"latency_p50": each[len(each) // 2], "latency_p99": each[int(0.99 * len(each))]}
        return Reading(loops, (cpu_after - cpu) * micro, (wall_after - wall) * micro, extra)

    def close(self) -> None:
        """End whatever it used."""
        self.done()
