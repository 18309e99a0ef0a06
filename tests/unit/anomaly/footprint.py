"""What behavior analysis takes: `python -m tests.unit.anomaly.footprint` prints what docs/behavior.md quotes.

Memory is what tracemalloc counts of a `Watch` that knows 10,000 clients on 2,500 networks. Time is that of simulated
traffic, each request by the fastest of some identical runs: what delays one run and not the others is the machine's.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from itertools import islice

from anomaly.event import ApiEvent
from anomaly.persistence import dump, load
from anomaly.simulate import simulate
from anomaly.watch import Watch

CLIENTS = 10_000
NETWORKS = 2_500
REQUESTS = 12  # of each client
EVENTS = 30_000
RUNS = 5
SEED = 21


def crowded() -> Watch:
    """Return what has watched as many clients as it remembers, each for long enough to have all that is kept of one."""
    watch = Watch(CLIENTS)
    for number in range(CLIENTS * REQUESTS):
        who = number % CLIENTS
        watch.observe(
            ApiEvent(
                time=1.7e9 + number * 0.05,
                client=who + 1,
                network=who % NETWORKS + 1,
                route=f"GET /v1/things/{number * 7919 % 40}/{{id}}",
                status=404 if number % 97 == 0 else 200,
                organization=who % 50 + 1,
                object=number * 31 % 100_003 + 1,
                agent=who % 20 + 1,
                response_bytes=number * 37 % 9_000,
                latency=0.001 * (number % 13 + 1),
            )
        )
    return watch


def memory() -> tuple[float, float, float, float]:
    """Return megabytes in memory and as a file, and seconds to make and to restore the file."""
    Watch(16)  # what it imports is not of its clients
    tracemalloc.start()
    watch = crowded()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    began = time.perf_counter()
    file = dump(watch.state(), "watch", lambda _: b"")
    made = time.perf_counter()
    Watch(CLIENTS).restore(load(file, "watch", lambda _data, _signature: None))
    return held, len(file) / 1e6, made - began, time.perf_counter() - made


def times() -> list[int]:
    """Return nanoseconds of each request, ascending, by the fastest run of it."""
    events = [entry.event for entry in islice(simulate("standard", SEED), EVENTS)]
    fastest = [sys.maxsize] * len(events)
    for _ in range(RUNS):
        watch = Watch()
        gc.collect()
        gc.freeze()
        for place, event in enumerate(events):
            began = time.perf_counter_ns()
            watch.observe(event)
            fastest[place] = min(fastest[place], time.perf_counter_ns() - began)
        gc.unfreeze()
    return sorted(fastest)


def main() -> None:
    """Print it."""
    held, file, making, restoring = memory()
    each = times()
    at = [each[int(share * len(each))] / 1e3 for share in (0.5, 0.99, 0.999)]
    sys.stdout.write(
        f"{CLIENTS:,} clients, {NETWORKS:,} networks: {held:.1f} MB; saved {file:.1f} MB, made in {making:.2f} s, "
        f"restored in {restoring:.2f} s\n"
        f"{len(each):,} requests, fastest of {RUNS} runs: mean {sum(each) / len(each) / 1e3:.1f} us, "
        f"median {at[0]:.1f}, "
        f"99 % within {at[1]:.1f}, 99.9 % within {at[2]:.1f}, longest {each[-1] / 1e3:.0f}\n"
    )


if __name__ == "__main__":
    main()
