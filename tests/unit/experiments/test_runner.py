"""A run: what is measured when, when it ends, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from experiments import QUICK, CheckFailed, Scale, TimerFault
from experiments.observer import Silence
from experiments.registry import load_file
from experiments.result import ExperimentResult, Result
from experiments.runner import run
from experiments.storage import load
from tests.unit.experiments.experiment_file import experiment_file

BRIEF = replace(QUICK, window=0.0005, rounds=3, most_rounds=3)
LOGGING = """
def logged(name, size=64):
    def log(event):
        HERE.joinpath("log").open("a").write(f"{event} {name}\\n")
    class Logged:
        def __init__(self, setting):
            log("prepare")
            self.inner = digest(size)(setting)
        def check(self): log("check"); self.inner.check()
        def measure(self, loops): log("measure"); return self.inner.measure(loops)
        def close(self): log("close")
    return Logged
"""


def measured(
    folder: Path, *sources: Path, scale: Scale = BRIEF, seed: int = 1, resume: bool = False, limit: float | None = None
) -> Result:
    experiments = [(str(source), load_file(source)) for source in sources]
    return run(experiments, scale, seed, folder, resume, Silence(), time_limit=limit)


def orders(result: ExperimentResult) -> list[tuple[str, ...]]:
    """The arms of each round in the order that they were measured in."""
    rounds = range(1, result.rounds + 1)
    places = {(sample.round, sample.place): arm.name for arm in result.arms for sample in arm.samples}
    return [tuple(places[number, place] for place in range(len(result.arms))) for number in rounds]


def test_a_run_leaves_its_result_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    result = measured(folder, experiment_file(tmp_path))
    assert [path.name for path in folder.iterdir()] == ["result.json"]
    assert load(folder) == result
    assert not [child for child in psutil.Process().children() if "experiments.worker" in " ".join(child.cmdline())]
    (experiment,) = result.experiments
    assert (experiment.rounds, experiment.ended_because) == (3, "most rounds")
    assert [(arm.name, arm.factors, len(arm.samples)) for arm in experiment.arms] == [
        ("small", {"size": 64}, 3),
        ("large", {"size": 65536}, 3),
    ]
    assert experiment.arms[1].samples[0].extra == {"bytes": 65536.0}
    assert experiment.findings[0].value > 5


def test_every_arm_is_checked_before_any_is_timed_and_after_the_last_round(tmp_path: Path, folder: Path) -> None:
    arms = [f'Arm("{name}", logged("{name}"), process="{name}")' for name in "abc"]
    measured(folder, experiment_file(tmp_path, *arms, code=LOGGING))
    events = (tmp_path / "log").read_text().splitlines()
    kinds = [event.partition(" ")[0] for event in events]
    assert sorted(events[:3]) == ["prepare a", "prepare b", "prepare c"]
    assert events[3:6] == events[-6:-3] == ["check a", "check b", "check c"]
    assert set(kinds[6:-6]) == {"measure"}
    assert kinds[-3:] == ["close"] * 3


def test_the_order_of_a_round_is_random_and_decided_by_the_seed(tmp_path: Path) -> None:
    arms = [f'Arm("{number}", digest({number}))' for number in range(1, 7)]
    source = experiment_file(tmp_path, *arms)
    first, again, other = (
        orders(measured(tmp_path / name, source, seed=seed).experiments[0])
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again != other
    assert len(set(first)) == len(first)
    assert all(sorted(one) == sorted(two) for one, two in pairwise(first))


@pytest.mark.parametrize(
    ("scale", "budget", "rounds", "because"),
    [
        (replace(BRIEF, most_rounds=8, width=1e9), 20, 3, "intervals are narrow enough"),
        (replace(BRIEF, most_rounds=5, width=0), 20, 5, "most rounds"),
        (replace(BRIEF, rounds=5, most_rounds=8, width=0), 0.001, 3, "time budget"),
    ],
)
def test_it_ends_for_one_of_three_reasons(
    tmp_path: Path, folder: Path, scale: Scale, budget: float, rounds: int, because: str
) -> None:
    source = experiment_file(tmp_path)
    source.write_text(source.read_text().replace('"quick": 15', f'"quick": {budget}'))
    (experiment,) = measured(folder, source, scale=scale).experiments
    assert (experiment.rounds, experiment.ended_because) == (rounds, because)


def test_a_time_limit_is_shared_by_all_experiments(tmp_path: Path, folder: Path) -> None:
    sources = [experiment_file(tmp_path, name=name) for name in ("one", "two")]
    result = measured(folder, *sources, scale=replace(QUICK, width=0), limit=0.001)
    assert [(one.rounds, one.ended_because) for one in result.experiments] == [(3, "time budget")] * 2


def test_an_arm_that_does_not_do_what_it_is_timed_for_leaves_no_result(tmp_path: Path, folder: Path) -> None:
    code = """
def skipping(setting):
    def verify(valid):
        assert valid is False, "a wrong digest is taken for right"
    return Operation(lambda: True, verify)
"""
    source = experiment_file(tmp_path, 'Arm("skips verification", skipping)', code=code)
    with pytest.raises(CheckFailed, match=r"^digest, arm skips verification: AssertionError: a wrong digest is taken"):
        measured(folder, source)
    assert not folder.exists()


def test_an_arm_that_goes_wrong_while_it_is_measured_leaves_no_result(tmp_path: Path, folder: Path) -> None:
    code = """
checks = []
def only_once():
    checks.append(1)
    return len(checks) == 1 or HERE.joinpath("mended").exists()
"""
    source = experiment_file(tmp_path, 'Arm("odd", digest(64, check=only_once))', code=code)
    with pytest.raises(CheckFailed, match=r"^digest, arm odd: the digest is wrong$"):
        measured(folder, source)
    assert not folder.exists()


def test_a_constant_timer_leaves_no_result(tmp_path: Path, folder: Path) -> None:
    code = "count = itertools.count()"
    source = experiment_file(tmp_path, 'Arm("odd", digest(64, clock=lambda: (next(count) * 0.01,) * 2))', code=code)
    with pytest.raises(TimerFault, match=r"^digest, arm odd: its CPU clock shows a constant"):
        measured(folder, source)
    assert not folder.exists()


def test_an_arm_that_this_machine_cannot_measure_is_left_out(tmp_path: Path, folder: Path) -> None:
    code = "def missing(setting): raise Unavailable('there is no library')"
    source = experiment_file(tmp_path, 'Arm("missing", missing)', code=code)
    (experiment,) = measured(folder, source).experiments
    assert [(arm.unavailable, len(arm.samples)) for arm in experiment.arms] == [
        (None, 3),
        (None, 3),
        ("there is no library", 0),
    ]


def test_an_experiment_without_any_arm_is_told_of(tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path, code="def missing(setting): raise Unavailable('there is nothing')")
    source.write_text(source.read_text() + "\nARMS[:] = [Arm('small', missing)]\n")
    (experiment,) = measured(folder, source).experiments
    assert (experiment.rounds, experiment.findings) == (0, [])
    assert experiment.warnings == ["digest: no arm can be measured here"]


#: An arm whose readings change once its rounds have begun, which it tells by the short lead before a window.
LATE = """
import dataclasses

def late(**changes):
    class Late:
        def __init__(self, setting):
            self.inner, self.before, self.begun = digest(64)(setting), 0, False
        def check(self): self.inner.check()
        def measure(self, loops):
            self.begun = self.begun or self.before == loops // 8 > 0
            self.before = loops
            reading = self.inner.measure(loops)
            if not self.begun: return reading
            return dataclasses.replace(reading, **{name: change(reading) for name, change in changes.items()})
        def close(self): self.inner.close()
    return Late
"""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("cpu=lambda _: 0.5", "arm odd: its CPU clock shows a constant: 0.5 us an operation in each of 3 rounds"),
        ("wall=lambda _: 9e9", "arm odd: its wall clock shows a constant"),
        ("cpu=lambda _: 0.0", "odd: its CPU clock stands still"),
        ("loops=lambda reading: reading.loops - 1", "odd: it was asked for"),
    ],
)
def test_a_clock_that_changes_after_calibration_leaves_no_result(
    tmp_path: Path, folder: Path, change: str, fault: str
) -> None:
    source = experiment_file(tmp_path, f'Arm("odd", late({change}))', code=LATE)
    with pytest.raises(TimerFault, match=fault):
        measured(folder, source)
    assert not (folder / "result.json").exists()


def test_an_arm_that_does_not_close_is_a_warning_of_the_result(tmp_path: Path, folder: Path) -> None:
    code = "def failing(setting): return digest(64, done=lambda: 1 / 0)(setting)"
    (experiment,) = measured(folder, experiment_file(tmp_path, 'Arm("odd", failing)', code=code)).experiments
    assert "digest: arm odd did not close: ZeroDivisionError: division by zero" in experiment.warnings
