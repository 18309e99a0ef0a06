"""Arms live in a process of their own: it answers over pipes that nothing else reaches, and ends with its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from experiments import QUICK, ArmFailed, CheckFailed, TimerFault
from experiments.arm_process import ArmProcess
from experiments.cores import Cores, choose_cores
from tests.unit.experiments.experiment_file import experiment_file

ANYWHERE = Cores(None, None)


@contextmanager
def worker(
    folder: Path,
    *arms: str,
    code: str = "",
    seed: int = 1,
    process: str = "main",
    cores: Cores = ANYWHERE,
    **limits: float,
) -> Iterator[ArmProcess]:
    source = experiment_file(folder, *arms, code=code)
    with ArmProcess("digest", process, folder / "arms", folder / "log", **limits) as living:
        living.ask_to_prepare(str(source), QUICK, seed, cores)
        yield living


def ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until_ended(pid: int) -> None:
    """Wait for a process that is not our child; one that stays is killed, so that the test fails and does not hang."""
    for _ in range(6000):
        if ended(pid):
            return
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    pytest.fail(f"process {pid} goes on")


def test_it_prepares_the_arms_of_its_name_alone(tmp_path: Path) -> None:
    with worker(tmp_path, process="other") as living:
        assert living.prepared() == {"large": None}


def test_an_arm_is_checked_calibrated_and_measured(tmp_path: Path) -> None:
    with worker(tmp_path) as living:
        living.prepared()
        living.check("small")
        loops = living.calibrate("small")
        reading = living.measure("small", loops)
    assert reading.loops == loops > 100
    assert 0.05 < reading.cpu < 100
    assert reading.wall > 0
    assert reading.extra == {"bytes": 64.0}


def test_what_an_arm_prints_does_not_reach_the_pipe(tmp_path: Path) -> None:
    code = """
def loud(setting):
    print("printed")
    os.write(1, b"written\\n")
    os.system("echo by a child")
    assert sys.stdin.read() == ""
    return digest(64)(setting)
"""
    with worker(tmp_path, 'Arm("loud", loud)', code=code) as living:
        assert living.prepared() == {"small": None, "loud": None}
        living.check("loud")
    assert {"printed", "written", "by a child"} <= set((tmp_path / "log").read_text().split("\n"))


def test_an_arm_that_is_unavailable_is_left_out_with_its_reason(tmp_path: Path) -> None:
    code = """
def missing(setting):
    raise Unavailable("there is no library")
"""
    with worker(tmp_path, 'Arm("missing", missing)', code=code) as living:
        assert living.prepared() == {"small": None, "missing": "there is no library"}
        living.check("small")


@pytest.mark.parametrize(
    "raised", ['CheckFailed("it is wrong")', 'TimerFault("it is wrong")', 'ArmFailed("it is wrong")']
)
def test_an_error_comes_back_as_what_it_was(tmp_path: Path, raised: str) -> None:
    code = f"""
class Odd:
    def check(self): raise {raised}
    def measure(self, loops): raise OSError("no disk")
    def close(self): raise ArmFailed("cannot close")
"""
    kinds = {"CheckFailed": CheckFailed, "TimerFault": TimerFault, "ArmFailed": ArmFailed}
    with worker(tmp_path, 'Arm("odd", lambda setting: Odd())', code=code) as living:
        living.prepared()
        with pytest.raises(kinds[raised.partition("(")[0]], match=r"^digest, arm odd: it is wrong$"):
            living.check("odd")
        with pytest.raises(ArmFailed, match=r"^digest, arm odd: OSError: no disk$"):
            living.measure("odd", 1)
        living.check("small")
    log = (tmp_path / "log").read_text()
    assert "Traceback" in log
    assert "cannot close" in log


def test_an_arm_that_cannot_be_prepared_is_named(tmp_path: Path) -> None:
    with (
        worker(tmp_path, 'Arm("odd", lambda setting: 1 / 0)') as living,
        pytest.raises(ArmFailed, match=r"^digest, process main: arm odd: ZeroDivisionError: division by zero$"),
    ):
        living.prepared()


def test_an_arm_that_kills_its_process_is_told_of(tmp_path: Path) -> None:
    code = "def die(setting): os.kill(os.getpid(), signal.SIGKILL)"
    with (
        worker(tmp_path, 'Arm("die", die)', code=code) as living,
        pytest.raises(ArmFailed, match=r"digest, process main: its process ended with signal 9; see .*log"),
    ):
        living.prepared()


HANGING = """
class Hanging:
    def __init__(self, where): self.where, self.loops = where, 1
    def hang(self, where):
        if where == self.where: time.sleep(3600)
    def check(self): self.hang("check")
    def measure(self, loops): self.hang("measure"); return Reading(loops, 1.0, 1.0)
    def close(self): self.hang("close")
"""


@pytest.mark.parametrize("where", ["check", "measure"])
def test_an_arm_that_hangs_is_ended_and_told_of(tmp_path: Path, where: str) -> None:
    with worker(tmp_path, f'Arm("odd", lambda _: Hanging("{where}"))', code=HANGING, least=0.1) as living:
        living.prepared()
        living._patience = 0.1 if where == "check" else 60
        with pytest.raises(ArmFailed, match=r"^digest, arm odd: no answer within 0 s, so its process was ended; see "):
            living.check("odd") if where == "check" else living.measure("odd", 1)
        assert ended(living.pid)


def test_an_arm_that_does_not_close_is_ended_and_told_of(tmp_path: Path) -> None:
    with worker(tmp_path, 'Arm("odd", lambda _: Hanging("close"))', code=HANGING, grace=0.1) as living:
        living.prepared()
    assert ended(living.pid)
    assert living.faults == ["process main had to be ended: an arm did not close"]


def test_what_goes_wrong_while_an_arm_is_closed_is_told_of(tmp_path: Path) -> None:
    code = "def failing(setting): return digest(64, done=lambda: 1 / 0)(setting)"
    with worker(tmp_path, 'Arm("odd", failing)', code=code) as living:
        living.prepared()
    assert living.faults == ["arm odd did not close: ZeroDivisionError: division by zero"]


@pytest.mark.parametrize("killed", [False, True])
def test_what_an_arm_leaves_behind_ends_with_its_process(tmp_path: Path, killed: bool) -> None:
    code = """
import subprocess
def leaking(setting):
    HERE.joinpath("left").write_text(str(subprocess.Popen(["sleep", "3600"]).pid))
    return digest(64)(setting)
"""
    with worker(tmp_path, 'Arm("leaking", leaking)', code=code) as living:
        living.prepared()
        left = int((tmp_path / "left").read_text())
        assert not ended(left)
        if killed:
            os.kill(living.pid, signal.SIGKILL)
            with pytest.raises(ArmFailed, match="signal 9"):
                living.check("leaking")
    wait_until_ended(left)


def test_data_depends_on_the_seed_alone(tmp_path: Path) -> None:
    code = """
def drawn(setting):
    HERE.joinpath("drawn").write_text(str(setting.random.random()))
    return digest(64)(setting)
"""
    draws = []
    for seed in (1, 1, 2):
        with worker(tmp_path, 'Arm("drawn", drawn)', code=code, seed=seed) as living:
            living.prepared()
        draws.append((tmp_path / "drawn").read_text())
    assert draws[0] == draws[1] != draws[2]


def test_garbage_is_collected_between_windows_only(tmp_path: Path) -> None:
    code = """
import gc
seen = []
gc.callbacks.append(lambda phase, info: seen.append(phase))
class Watched:
    def check(self): pass
    def measure(self, loops):
        before, was_on = len(seen), gc.isenabled()
        kept = [[i] for i in range(100_000)]
        return Reading(1, 1.0, 1.0, {"during": len(seen) - before, "before": before, "on": was_on})
    def close(self): pass
"""
    with worker(tmp_path, 'Arm("watched", lambda setting: Watched())', code=code) as living:
        living.prepared()
        one, two = (living.measure("watched", 1).extra for _ in range(2))
    assert (one["during"], one["on"], two["during"], two["on"]) == (0, 0, 0, 0)
    assert two["before"] > one["before"] > 0


def test_a_window_of_an_arm_that_sets_its_loops_has_no_lead(tmp_path: Path) -> None:
    code = """
class Asked:
    def __init__(self, loops):
        self.asked = []
        if loops: self.loops = loops
    def check(self): pass
    def close(self): pass
    def measure(self, loops):
        self.asked.append(loops)
        return Reading(loops, 1.0, 1.0, {"asked": sum(self.asked)})
"""
    arms = ('Arm("own", lambda setting: Asked(80))', 'Arm("led", lambda setting: Asked(None))')
    with worker(tmp_path, *arms, code=code) as living:
        living.prepared()
        assert living.measure("own", 80).extra == {"asked": 80}
        assert living.measure("led", 80).extra == {"asked": 90}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no core affinity")
def test_it_is_pinned_and_arms_know_where_servers_go(tmp_path: Path) -> None:
    code = """
def placed(setting):
    HERE.joinpath("cores").write_text(f"{sorted(os.sched_getaffinity(0))} {setting.load_core} {setting.server_core}")
    return digest(64)(setting)
"""
    cores = choose_cores()
    with worker(tmp_path, 'Arm("placed", placed)', code=code, cores=cores) as living:
        living.prepared()
    assert (tmp_path / "cores").read_text() == f"[{cores.load}] {cores.load} {cores.server}"
    assert {cores.load, cores.server} <= os.sched_getaffinity(0)
    assert (cores.load == cores.server) == (len(os.sched_getaffinity(0)) == 1)


def test_arms_are_closed_in_reverse_and_their_folder_goes(tmp_path: Path) -> None:
    code = """
def closing(name):
    def prepare(setting):
        setting.folder.joinpath("file").write_text("x")
        return digest(64, done=lambda: HERE.joinpath("closed").open("a").write(name))(setting)
    return prepare
"""
    with worker(tmp_path, 'Arm("a", closing("a"))', 'Arm("b", closing("b"))', code=code) as living:
        living.prepared()
        assert len(list((tmp_path / "arms").rglob("file"))) == 2
    assert (tmp_path / "closed").read_text() == "ba"
    assert not (tmp_path / "arms").exists()


def test_ctrl_c_is_left_to_the_runner(tmp_path: Path) -> None:
    with worker(tmp_path) as living:
        living.prepared()
        os.kill(living.pid, signal.SIGINT)
        living.check("small")


def test_it_ends_and_closes_its_arms_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = """
def closing(setting):
    return digest(64, done=lambda: HERE.joinpath("closed").write_text("yes"))(setting)
"""
    source = experiment_file(tmp_path, 'Arm("closing", closing)', code=code)
    parent = f"""
import os, signal
from pathlib import Path
from experiments import QUICK
from experiments.arm_process import ArmProcess
from experiments.cores import Cores
living = ArmProcess("digest", "main", Path({str(tmp_path / "arms")!r}), Path({str(tmp_path / "log")!r}))
living.ask_to_prepare({str(source)!r}, QUICK, 1, Cores(None, None))
living.prepared()
print(living.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            pid = json.loads(process.stdout.readline())
            assert process.wait(60) == -signal.SIGKILL
        finally:
            process.kill()  # whatever failed: leaving the block waits for it
    wait_until_ended(pid)
    assert (tmp_path / "closed").read_text() == "yes"
    assert not (tmp_path / "arms").exists()
