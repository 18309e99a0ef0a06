"""CPU time of a server that consists of several processes."""

import time

import psutil

from experiments.errors import Unavailable

CpuTimes = dict[int, float]


def cpu_times(root: int, known: CpuTimes | None = None) -> CpuTimes:
    """Return the CPU time in seconds of a process and all below it, by process id.

    Nanoseconds count where the system has a clock for each process (Linux: `clock_getcpuclockid`), elsewhere ticks of
    10 ms do. Looking for processes takes milliseconds: with `known`, those processes are read again, and no others.

    Raises:
        Unavailable: there is no such process.
    """
    if known is not None:
        return {pid: seconds for pid in known if (seconds := _cpu_time(pid)) is not None}
    try:
        top = psutil.Process(root)
        below = top.children(recursive=True)
    except psutil.NoSuchProcess as error:
        raise Unavailable("the server that the arm uses has ended") from error
    return {one.pid: seconds for one in (top, *below) if (seconds := _cpu_time(one.pid)) is not None}


def spent(before: CpuTimes, after: CpuTimes) -> float:
    """Return the seconds of CPU time between two looks, of the processes that both have seen."""
    return sum(seconds - before[pid] for pid, seconds in after.items() if pid in before)


def _cpu_time(pid: int) -> float | None:
    try:
        if psutil.LINUX:
            return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) makes of a process id
        used = psutil.Process(pid).cpu_times()
    except (OSError, psutil.Error):
        return None  # it has ended
    return float(used.user + used.system)
