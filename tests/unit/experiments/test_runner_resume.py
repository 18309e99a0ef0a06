"""A run that went wrong goes on with what was sound of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import QUICK, ArmFailed, CheckFailed, DefinitionError, NotTheSameRun
from experiments.observer import Silence
from experiments.registry import load_file
from experiments.result import Result
from experiments.runner import run
from tests.unit.experiments.experiment_file import experiment_file

BRIEF = replace(QUICK, window=0.0005, rounds=3, most_rounds=3)
LOGGING = """
def logged(name):
    class Logged:
        def __init__(self, setting):
            HERE.joinpath("log").open("a").write(f"prepare {name}\\n")
            self.inner = digest(64)(setting)
        def check(self): pass
        def measure(self, loops): return self.inner.measure(loops)
        def close(self): pass
    return Logged
"""
DYING = """
class Dying:  # in the second round
    def __init__(self, setting): self.inner = digest(64)(setting)
    def check(self): pass
    def close(self): pass
    def measure(self, loops):
        round_done = '"kind":"round","experiment":"digest"' in HERE.joinpath("run", "journal.jsonl").read_text()
        if round_done and not HERE.joinpath("mended").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.measure(loops)
"""


def measured(folder: Path, *sources: Path, seed: int = 1, resume: bool = False) -> Result:
    experiments = [(str(source), load_file(source)) for source in sources]
    return run(experiments, BRIEF, seed, folder, resume, Silence())


def test_what_was_measured_before_a_failed_check_does_not_count(tmp_path: Path, folder: Path) -> None:
    code = "mended = lambda: HERE.joinpath('mended').exists()"
    sources = [
        experiment_file(tmp_path, name="sound"),
        experiment_file(tmp_path, 'Arm("odd", digest(64, check=mended))', code=code),
    ]
    with pytest.raises(CheckFailed):
        measured(folder, *sources)
    assert not (folder / "result.json").exists()
    (tmp_path / "mended").touch()
    result = measured(folder, *sources, resume=True)
    assert [experiment.rounds for experiment in result.experiments] == [3, 3]


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, folder: Path) -> None:
    sources = [
        experiment_file(tmp_path, 'Arm("logged", logged("logged"))', code=LOGGING, name="sound"),
        experiment_file(tmp_path, 'Arm("dying", Dying)', code=DYING),
    ]
    with pytest.raises(ArmFailed, match="ended with signal 9"):
        measured(folder, *sources)
    journal = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    kept = {
        entry["number"]: entry["samples"]
        for entry in journal
        if entry.get("experiment") == "digest" and "number" in entry
    }
    assert list(kept) == [1]
    assert not (folder / "result.json").exists()
    with pytest.raises(NotTheSameRun, match="seed was 1, is 2"):
        measured(folder, *sources, resume=True, seed=2)

    (tmp_path / "mended").touch()
    events = (tmp_path / "log").read_text()
    result = measured(folder, *sources, resume=True)
    assert (tmp_path / "log").read_text() == events  # what was finished is not measured again
    assert result.started.isoformat() == journal[0]["started"].replace("Z", "+00:00")
    digest = result.experiments[1]
    assert digest.rounds == 3
    for arm in digest.arms:
        assert [sample.round for sample in arm.samples] == [1, 2, 3]
        for number, samples in kept.items():
            assert arm.samples[number - 1].model_dump() == samples[arm.name]


def test_a_run_does_not_go_on_with_other_arms(tmp_path: Path, folder: Path) -> None:
    code = DYING + "\nextra = [Arm('extra', digest(32))] if HERE.joinpath('mended').exists() else []\n"
    source = experiment_file(tmp_path, 'Arm("dying", Dying)', "*extra", code=code)
    with pytest.raises(ArmFailed):
        measured(folder, source)
    (tmp_path / "mended").touch()
    with pytest.raises(NotTheSameRun, match="digest has other arms than when it began"):
        measured(folder, source, resume=True)


def test_a_run_that_only_a_changed_suite_could_end_leaves_no_journal(tmp_path: Path, folder: Path) -> None:
    sources = [experiment_file(tmp_path, name="sound"), experiment_file(tmp_path)]
    text = sources[1].read_text()
    sources[1].write_text(text.replace('r["small"]', 'r["small", "byts"]'))
    with pytest.raises(DefinitionError, match="measures no 'byts'"):
        measured(folder, *sources)
    assert not folder.exists()
    sources[1].write_text(text)
    assert [one.name for one in measured(folder, *sources).experiments] == ["sound", "digest"]


def test_a_run_that_has_measured_nothing_leaves_no_journal(tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path, 'Arm("odd", odd)', code="def odd(_): 1 / 0")
    with pytest.raises(ArmFailed, match="ZeroDivisionError"):
        measured(folder, source)
    assert [one.name for one in folder.iterdir()] == ["workers.log"]  # the traceback
    source.write_text(source.read_text().replace("1 / 0", "return digest(64)(_)"))
    assert measured(folder, source).experiments[0].rounds == 3
