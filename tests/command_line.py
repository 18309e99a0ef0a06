"""The command line in this process: arguments in, exit status and output back."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from secure_api.cli.main import run


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit status and both outputs."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)

    def error(self, status: int) -> str:
        """The one `error:` line of a command that must have failed with this status, without a traceback."""
        assert self.status == status, self
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self
        assert "Traceback" not in self.err
        return lines[0].removeprefix("error: ")


class CommandLine:
    """Runs commands as `secure-api` would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], config: Path) -> None:
        self.config = config
        self._monkeypatch = monkeypatch
        self._capture = capture

    def __call__(self, *arguments: object, stdin: bytes = b"") -> Outcome:
        """Run a command; its stdin is no terminal."""
        self._capture.readouterr()
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = run([str(argument) for argument in arguments])
        captured = self._capture.readouterr()
        return Outcome(status, captured.out, captured.err)

    def ok(self, *arguments: object, stdin: bytes = b"") -> Outcome:
        """Run a command that must succeed."""
        outcome = self(*arguments, stdin=stdin)
        assert outcome.status == 0, outcome
        return outcome


@pytest.fixture
def secure_api(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """`secure_api(*arguments, stdin=b"") -> Outcome`, with folders of its own and an environment that is put back."""
    config = tmp_path_factory.mktemp("config")
    before = dict(os.environ)
    mask = os.umask(0o022)
    monkeypatch.setenv("SECURE_API_CONFIG", str(config))
    try:
        yield CommandLine(monkeypatch, capsys, config)
    finally:
        os.umask(mask)
        os.environ.clear()
        os.environ.update(before)
