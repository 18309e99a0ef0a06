"""The demo: it fails when a step does, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from secure_api.cli.demo import play
from secure_api.cli.demo.play import STEPS
from secure_api.cli.demo.scenes import without_the_extra
from secure_api.cli.demo.stage import Stage
from secure_api.cli.demo.step import Step
from secure_api.cli.exit_codes import ExitCode
from tests.cli.program import Program

pytestmark = pytest.mark.slow


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the demo makes its own, to be found empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_a_step_that_does_not_do_what_it_says_fails_the_demo(
    program: Program, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pretend(_ground: Stage) -> Step:
        return Step("the sun rises in the west", "in the east", False)

    monkeypatch.setattr(play, "STEPS", (STEPS[0], pretend))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("SECURE_API_SIGNATURE_POLICY", "nonsense")
    outcome = program("demo")
    assert outcome.status == ExitCode.FAILURE
    assert "  ok  clinic enrolled" in outcome.out
    assert "  FAILED  the sun rises in the west" in outcome.out
    assert "SOME STEPS FAILED" in outcome.out
    assert list(temporary.iterdir()) == []


def test_without_the_extra_of_studies_the_demo_names_it(
    program: Program, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "STEPS", (without_the_extra,))
    assert "  ok  joint computations: left out" in (out := program("demo").ok().out)
    assert "install secure-api[private]" in out
    assert list(temporary.iterdir()) == []


def test_a_server_that_goes_away_is_one_line(
    program: Program, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_the_server(ground: Stage) -> Step:
        ground.server.kill()
        ground.server.wait()
        return Step("the server goes away", "gone", True)

    monkeypatch.setattr(play, "STEPS", (end_the_server, STEPS[0]))
    outcome = program("demo")
    assert outcome.failed(ExitCode.FAILURE).error.startswith("the server cannot be reached")
    assert list(temporary.iterdir()) == []


def test_a_server_that_does_not_start_is_said_with_its_log(
    program: Program, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secure_api.cli.demo.stage.SERVE", ("serve", "--host", "nowhere.invalid"))
    outcome = program("demo")
    assert outcome.failed(ExitCode.FAILURE).error == "the server did not start:"
    assert "  error: cannot listen on nowhere.invalid" in outcome.said
    assert list(temporary.iterdir()) == []


def test_a_demo_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "secure_api", "demo"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while not any("serves on" in log.read_text() for log in tmp_path.glob("secure-api-demo-*/server.log")):
        assert demo.poll() is None
        time.sleep(0.02)
    demo.send_signal(signal.SIGTERM)
    _, said = demo.communicate()
    assert (demo.returncode, said) == (ExitCode.INTERRUPTED, b"")
    assert list(tmp_path.iterdir()) == []
