"""The template in docs/ is an experiment of under 40 lines, and runs as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.program import Program

PAGE = Path(__file__).parents[3] / "docs" / "experiment-template.md"


@pytest.fixture
def template() -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_template_is_short(template: str) -> None:
    assert len(template.splitlines()) < 40


def test_the_template_runs_and_answers_its_question(template: str, program: Program, tmp_path: Path) -> None:
    file, folder = tmp_path / "compression.py", tmp_path / "result"
    file.write_text(template)
    done = program.spawn("experiments", "run", "--from", str(file), "--quick", "--no-report", "-o", str(folder)).ok()
    assert done.out == f"{folder}\n"
    result = json.loads((folder / "result.json").read_text())
    (experiment,) = result["experiments"]
    figures = re.fullmatch(
        r"Level 9 takes (\d+(?:\.\d+)?) .* times the CPU time of level 1, and gives (0\.\d+) .*of its bytes\.",
        experiment["answer"],
    )
    assert figures is not None, experiment["answer"]
    time, size = map(float, figures.groups())
    assert 1.5 < time < 100
    assert 0.4 < size < 1
    assert experiment["answer"] in done.said
