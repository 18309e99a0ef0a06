"""`secure-api experiments`: what its commands say, and how they end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.commands.run import _command
from experiments.registry import experiments
from tests.cli.program import Program
from tests.unit.experiments.experiment_file import experiment_file

COMMANDS = ("list", "run", "report", "compare", "figures")


def run(program: Program, source: Path, folder: Path, *more: str) -> Any:
    return program.spawn("experiments", "run", "--from", source, "--no-report", "--output", folder, *more)


def test_importing_the_commands_is_quick() -> None:
    code = "import sys, experiments.cli; print(*sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & {"scipy", "matplotlib", "numpy", "pydantic", "psutil", "pyperf", "jinja2", "crypto", "fastapi"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_with_examples_that_parse(program: Program, command: str) -> None:
    text = program("experiments", command, "--help").ok().out
    assert max(map(len, text.splitlines())) <= 80
    known, _, examples = text.partition("\n Examples:\n\n")
    lines = re.sub(r" \\\n +", " ", examples).rstrip().splitlines()
    assert lines
    for line in lines:
        assert line.startswith(f"   secure-api experiments {command}")
        assert [option for option in re.findall(r"(?<!\w)--[a-z-]+", line) if option not in known] == []


def test_list_names_every_experiment_with_its_question(program: Program) -> None:
    found = program("experiments", "list", "--json").ok().json()
    assert [(one["name"], one["question"]) for one in found] == [
        (name, experiment.question) for name, experiment in experiments().items()
    ]
    assert all(0 < one["arms"]["quick"] <= one["arms"]["full"] for one in found)
    assert all(0 < one["seconds"]["quick"] <= one["seconds"]["full"] for one in found)
    rows = [line.split("\t") for line in program("experiments", "list").ok().out.splitlines()]
    assert [row[0] for row in rows] == [one["name"] for one in found]
    assert all(len(row) == 6 for row in rows)


def test_run_measures_and_prints_the_folder(program: Program, tmp_path: Path, folder: Path) -> None:
    done = run(program, experiment_file(tmp_path), folder, "--seed", "7", "--quick", "--time-limit", "30s").ok()
    assert done.out == f"{folder}\n"
    assert "[1/1] digest: at most 15 s left" in done.lines
    result = json.loads((folder / "result.json").read_text())
    assert (result["scale"], result["seed"]) == ("quick", 7)
    assert result["command"] == (
        "secure-api experiments run --from digest.py --no-report --output run --seed 7 --quick --time-limit 30s"
    )
    assert result["experiments"][0]["answer"] in done.said


def test_a_command_that_others_read_names_no_folders() -> None:
    words = ["experiments", "run", "--from", "../private/a.py", "--from=b/c.py", "-o", "../alice/out", "--output=x/y"]
    said = "secure-api experiments run --from a.py --from=c.py -o out --output=y"
    assert _command(words) == said
    assert _command(["/home/alice/d", "--seed", "1"]) == "secure-api d --seed 1"


def test_a_library_that_the_page_needs_is_missed_before_anything_is_measured(
    program: Program, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding" / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'matplotlib' else find(name, *more)\n"
    )
    bare = Program(program.home, program.config, {"PYTHONPATH": str(tmp_path / "hiding")})
    words = ("experiments", "run", "--from", str(experiment_file(tmp_path)), "--output", str(folder))
    assert "a report needs matplotlib, which is not installed" in bare.spawn(*words).failed(1).error
    assert not folder.exists()
    bare.spawn(*words, "--no-report").ok()


def test_a_run_has_a_folder_of_its_own_unless_one_is_given(program: Program, tmp_path: Path) -> None:
    source = experiment_file(tmp_path)
    done = program.spawn("experiments", "run", "--from", str(source), "--no-report", cwd=tmp_path).ok()
    assert re.fullmatch(r"experiment-results/\d{8}-\d{6}(-[0-9a-f]{7})?\n", done.out)
    assert (tmp_path / done.out.strip() / "result.json").is_file()


def test_a_terminal_shows_a_bar(program: Program, tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path)
    status, screen = program.on_terminal(
        *("experiments", "run", "--from", str(source), "--no-report", "--output", str(folder))
    )
    assert status == 0
    assert "[1/1] digest" in screen
    assert re.search(r"round \d of 5 to 7, at most \d+ s left", screen)


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ("digest(64, clock=lambda: (time.monotonic() // 1e9,) * 2)", "odd: its clock stands still"),
        ("digest(64, check=lambda: False)", "odd: the digest is wrong"),
        ("lambda setting: 1 / 0", "odd: ZeroDivisionError: division by zero"),
    ],
)
def test_a_planted_fault_is_one_line_and_no_result(
    program: Program, tmp_path: Path, folder: Path, arm: str, said: str
) -> None:
    done = run(program, experiment_file(tmp_path, f'Arm("odd", {arm})'), folder)
    assert done.status == 1
    assert said in done.error
    assert done.out == ""
    assert not (folder / "result.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no experiment 'nothing'; there are: "),
        (["--from", "missing.py"], "missing.py: no such Python file"),
        (["--from", "broken.py"], "broken.py: cannot be imported: ZeroDivisionError"),
        (["--from", "empty.py"], "empty.py: names no EXPERIMENT"),
        (["--from", "digest.py", "--from", "digest.py"], "digest is named twice"),
        (["--time-limit", "soon"], "'soon' is not a duration"),
    ],
)
def test_a_wrong_command_line_is_told(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    experiment_file(tmp_path)
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "empty.py").write_text("")
    assert said in program("experiments", "run", *words).failed(2).error
