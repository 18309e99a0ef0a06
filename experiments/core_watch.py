"""Whether others take the cores that a run measures on."""

import os

import psutil

#: Share of all cores that others may take before a run warns.
MOST_FOREIGN = 0.1
#: Seconds of all cores together below which the kernel's account is too coarse.
SHORTEST = 1.0
#: Load average (one minute) above which a run warns before it begins.
MOST_LOAD = 0.5


def load_average() -> float:
    """Load average of the last minute; 0 where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


class CoreWatch:
    """Tells how much of the cores was taken, since it was made, by what is not this process or started by it.

    What a hypervisor gave to other machines counts. The source is the kernel's account of busy time (10 ms steps).
    """

    def __init__(self) -> None:
        self._busy, self._all = _machine()
        self._own = own_seconds()

    def foreign(self) -> float:
        """Share of the time of all cores, from 0 to 1; 0 when that was too short to tell."""
        busy, together = _machine()
        taken = (busy - self._busy) - (own_seconds() - self._own)
        return min(1.0, max(0.0, taken / (together - self._all))) if together > self._all + SHORTEST else 0.0


def _machine() -> tuple[float, float]:
    """Busy seconds of all cores, and all their seconds; guests' time is part of user time already."""
    times = psutil.cpu_times()._asdict()
    together = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    return together - times["idle"] - times.get("iowait", 0.0), together


def own_seconds() -> float:
    """Give the CPU seconds of this process and its descendants; those that ended count for whoever waited for them."""
    this = psutil.Process()
    total = 0.0
    for process in (this, *this.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.Error:
            continue  # it has just ended
    return total
