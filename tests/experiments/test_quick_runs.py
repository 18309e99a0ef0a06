"""Every experiment of the product, run quickly from the command line: arms pass their checks, answers are found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.registry import experiments
from experiments.scale import QUICK
from experiments.storage import load

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.mark.parametrize("name", experiments())
def test_a_quick_run_measures_every_arm_and_answers_the_question(tmp_path: Path, name: str) -> None:
    program = [sys.executable, "-m", "secure_api", "experiments"]
    # No time to measure: the fewest rounds, with every arm and every check.
    run = [*program, "run", name, "--quick", "--time-limit", "1s", "--seed", "1", "--output", str(tmp_path / "run")]
    done = subprocess.run(run, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    (result,) = load(tmp_path / "run").experiments
    assert result.rounds >= 3
    measured = [arm for arm in result.arms if arm.unavailable is None]
    assert len(measured) >= 3
    for arm in measured:
        assert [sample.round for sample in arm.samples] == list(range(1, result.rounds + 1)), arm.name
        assert all(sample.wall > 0 for sample in arm.samples), arm.name
    for arm in result.arms:
        assert arm.unavailable is None or "liboqs" in arm.unavailable, "the rest can be had here"
    assert {arm.name for arm in result.arms} == {arm.name for arm in experiments()[name].arms_at(QUICK)}
    assert result.answer
    assert "Not answered" not in result.answer
    assert any(finding.headline for finding in result.findings)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert result.title in page
    assert "<script" not in page
    assert sorted(one.name for one in (tmp_path / "run").iterdir()) == ["report.html", "result.json"]


def test_the_list_tells_what_there_is_to_run() -> None:
    command = [sys.executable, "-m", "secure_api", "experiments", "list", "--json"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert [one["name"] for one in listed] == list(experiments())
