"""Which core is for what."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """Where workers run, and so the load of servers comes from; where servers run. None: anywhere."""

    load: int | None
    server: int | None

    @property
    def pinned(self) -> dict[str, int]:
        """What a result says of it."""
        both = {"workers and load": self.load, "servers": self.server}
        return {name: core for name, core in both.items() if core is not None}


def choose_cores() -> Cores:
    """Give workers the first core that we may use and servers the last one.

    With a single core both run on it; a system without core affinity places them itself.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])
