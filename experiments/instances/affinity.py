"""Which cores a server runs on."""

import os
from contextlib import suppress

import psutil


def move_to_core(root: int, core: int | None) -> None:
    """Keep a process and all below it, and what they start later, on a core; None: let it run anywhere.

    Does nothing where the system has no core affinity.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = range(os.cpu_count() or 1) if core is None else {core}
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        for process in (top := psutil.Process(root), *top.children(recursive=True)):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(process.pid, cores)
