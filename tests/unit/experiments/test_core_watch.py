"""Others that take the cores are noticed, and what a run itself does is not held against it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from experiments.core_watch import CoreWatch, load_average, own_seconds

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"
#: Starts a process that is nobody's child, and ends.
ORPHAN = """
import sys
from subprocess import DEVNULL, Popen
print(Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True, stdout=DEVNULL, stderr=DEVNULL).pid)
"""


def test_a_process_of_somebody_else_is_noticed() -> None:
    watch, began = CoreWatch(), time.monotonic()
    command = [sys.executable, "-c", ORPHAN, BURN.format(seconds=20)]
    pid = int(subprocess.run(command, capture_output=True, check=True).stdout)
    try:
        while psutil.Process(pid).cpu_times().user < 0.5:
            time.sleep(0.05)
        foreign = watch.foreign()
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert foreign <= 1
    assert foreign * (time.monotonic() - began) * (os.cpu_count() or 1) > 0.3


def test_what_a_run_starts_counts_as_its_own_while_it_lives_and_afterwards() -> None:
    before = own_seconds()
    with subprocess.Popen([sys.executable, "-c", BURN.format(seconds=20)]) as child:
        try:
            while own_seconds() - before < 0.3:
                assert child.poll() is None
                time.sleep(0.05)
        finally:
            child.kill()
    assert own_seconds() - before >= 0.3


def test_there_is_a_load_average() -> None:
    assert load_average() >= 0
