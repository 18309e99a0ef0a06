"""`secure-api experiments run --resume`: whatever stops a run, it goes on where it was, and as nothing else."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Program
from tests.unit.experiments.experiment_file import experiment_file

#: Seconds that a run may take to end: longer than its workers may, so that a test fails and does not hang.
PATIENCE = 120
#: An arm that takes its time (which its clock does not see) as long as a file is there.
SLOW = """
class Slow:
    loops = 8
    def __init__(self, setting): self.inner = digest(65536)(setting)
    def check(self): pass
    def close(self): pass
    def measure(self, loops):
        if HERE.joinpath("slow").exists(): time.sleep(0.1)
        return self.inner.measure(loops)
"""


def run(program: Program, source: Path, folder: Path, *more: str) -> Any:
    return program.spawn("experiments", "run", "--from", source, "--no-report", "--output", folder, *more)


def journal(folder: Path) -> list[dict[str, Any]]:
    path = folder / "journal.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def rounds(folder: Path) -> list[dict[str, Any]]:
    return [entry for entry in journal(folder) if entry["kind"] == "round"] if folder.exists() else []


def interrupted(program: Program, source: Path, folder: Path, number: signal.Signals) -> tuple[int, list[str]]:
    """Run until there is a round, and send a signal; gives exit status and what was said."""
    source.parent.joinpath("slow").touch()
    process = program.start(
        *("experiments", "run", "--from", source, "--no-report", "--output", folder),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not (folder / "journal.jsonl").exists() or not rounds(folder):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    source.parent.joinpath("slow").unlink()
    return process.returncode, said.decode().splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_goes_on_where_it_stopped(
    program: Program, tmp_path: Path, folder: Path, number: signal.Signals
) -> None:
    source, scratch = experiment_file(tmp_path, 'Arm("slow", Slow)', code=SLOW), tmp_path / "scratch"
    scratch.mkdir()
    program = Program(program.home, program.config, {"TMPDIR": str(scratch)})
    status, said = interrupted(program, source, folder, number)
    command = f"secure-api experiments run --resume {folder}"
    if number == signal.SIGKILL:
        assert status == -number
        until = time.monotonic() + PATIENCE
        while list(scratch.iterdir()):  # its workers notice, and clear up
            assert time.monotonic() < until, list(scratch.rglob("*"))
            time.sleep(0.01)
    else:
        assert status == 130
        assert said[-1] == f"interrupted; to go on: {command}"
        assert not any("Traceback" in line for line in said)
    kept = rounds(folder)
    done = program.spawn(*shlex.split(command)[1:], "--no-report").ok()
    assert done.out == f"{folder}\n"
    assert [path.name for path in folder.iterdir()] == ["result.json"]
    (experiment,) = json.loads((folder / "result.json").read_text())["experiments"]
    for entry in kept:
        samples = {arm["name"]: arm["samples"][entry["number"] - 1] for arm in experiment["arms"]}
        assert samples == entry["samples"]


def test_an_interrupted_run_is_not_mixed_with_another(program: Program, tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path, 'Arm("slow", Slow)', code=SLOW)
    interrupted(program, source, folder, signal.SIGINT)
    resume = ("experiments", "run", "--no-report", "--resume", str(folder))
    assert "holds an interrupted run: resume it, remove its journal.jsonl, or" in run(program, source, folder).error
    assert "seed was 1, is 2" in program(*resume, "--seed", "2").error
    assert "scale was quick, is full" in program(*resume, "--full").error
    assert "--output does not go with --resume" in program(*resume, "--output", str(folder)).error
    source.write_text(source.read_text() + "\n# changed\n")
    assert re.search("sources was [0-9a-f]{12}, is [0-9a-f]{12}", program(*resume).error)


def test_a_finished_run_is_neither_resumed_nor_overwritten(program: Program, tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path)
    run(program, source, folder).ok()
    assert "holds a result" in run(program, source, folder).error
    assert "holds a finished run" in program("experiments", "run", "--resume", str(folder)).error
    assert "holds no interrupted run" in program("experiments", "run", "--resume", str(tmp_path)).error
