"""`secure-api` as a test runs it: in this process, as a process, or on a terminal."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from secure_api.cli.main import main

COMMAND = (sys.executable, "-m", "secure_api")
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: its exit status and the bytes that it wrote."""

    status: int
    stdout: bytes
    stderr: bytes

    def __post_init__(self) -> None:
        assert b"Traceback" not in self.stderr, self.said
        assert b"a defect of this program" not in self.stderr, self.said

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.stdout.decode()

    @property
    def said(self) -> str:
        """Standard error as text."""
        return self.stderr.decode()

    @property
    def lines(self) -> list[str]:
        """The lines of standard error."""
        return self.said.splitlines()

    @property
    def error(self) -> str:
        """The message of the only error line."""
        (line,) = (line for line in self.lines if line.startswith("error: "))
        return line.removeprefix("error: ")

    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.stdout)

    def ok(self) -> Outcome:
        """Itself, if the command succeeded."""
        assert self.status == 0, (self.status, self.out, self.said)
        return self

    def failed(self, status: int, *words: str) -> Outcome:
        """Itself, if the command failed with this status, one error line that has these words, and at most a hint."""
        assert self.status == status, (self.status, self.out, self.said)
        errors = [line for line in self.lines if line.startswith("error: ")]
        assert len(errors) == 1, self.said
        assert all(line.startswith(("error: ", "hint: ", "warning: ", "  ")) for line in self.lines), self.said
        assert [word for word in words if word not in self.said] == [], self.said
        return self


@dataclass(frozen=True)
class Program:
    """The program with folders of its own: `home` of the server, `config` of the profiles."""

    home: Path
    config: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def environment(self, env: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The environment of the program; a variable that is None is taken away."""
        folders = {"SECURE_API_HOME": str(self.home), "SECURE_API_CONFIG": str(self.config)}
        together: dict[str, str | None] = {**os.environ, **PLAIN, **folders, **self.env, **(env or {})}
        return {name: value for name, value in together.items() if value is not None}

    def __call__(self, *words: str | Path, stdin: bytes = b"", env: Mapping[str, str | None] | None = None) -> Outcome:
        """Run a command in this process, through everything but the interpreter's start."""
        inlet = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        outlets = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, self.environment(env), clear=True))
            stack.enter_context(mock.patch.object(sys, "argv", ["secure-api", *map(str, words)]))
            stack.enter_context(mock.patch.multiple(sys, stdin=inlet, stdout=outlets[0], stderr=outlets[1]))
            stack.enter_context(_process_state())
            try:
                main()
            except SystemExit as ended:
                status = ended.code
        assert isinstance(status, int)
        written = []
        for outlet in outlets:
            outlet.flush()
            assert isinstance(outlet.buffer, io.BytesIO)
            written.append(outlet.buffer.getvalue())
        return Outcome(status, *written)

    def spawn(
        self,
        *words: str | Path | bytes,
        stdin: bytes | None = None,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
    ) -> Outcome:
        """Run a command as a process; without `stdin` it reads from nowhere."""
        with subprocess.Popen(
            [*COMMAND, *words],
            env=self.environment(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            stdout, stderr = process.communicate(stdin)
            return Outcome(process.returncode, stdout, stderr)

    def start(self, *words: str | Path, env: Mapping[str, str | None] | None = None, **options: Any) -> Any:
        """Start a command as a process and leave it running; gives the `Popen`."""
        return subprocess.Popen([*COMMAND, *map(str, words)], env=self.environment(env), **options)

    def on_terminal(
        self, *words: str | Path, typed: Sequence[str] = (), env: Mapping[str, str | None] | None = None
    ) -> tuple[int, str]:
        """Run a command on a terminal of 100 columns; gives exit status and screen. `typed` answers its questions."""
        terminal, side = pty.openpty()
        variables = {"COLUMNS": "100", "TERM": "xterm-256color", "NO_COLOR": None, **(env or {})}
        process = self.start(
            *words,
            env=variables,
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # Ctrl-C and /dev/tty are this terminal's
        )
        os.close(side)
        screen = bytearray()
        answers = list(typed)

        def read() -> None:
            with suppress(OSError):  # the other side is closed
                while piece := os.read(terminal, 4096):
                    screen.extend(piece)
                    if answers and screen.endswith(b": "):  # the space comes once the echo is off
                        answer = answers.pop(0)
                        os.write(terminal, answer.encode() if answer == "\x03" else answer.encode() + b"\n")

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        status = process.wait()
        reader.join()
        os.close(terminal)
        return status, screen.decode()


@contextmanager
def _process_state() -> Iterator[None]:
    """Put back what a command changes for its whole process: the mask of new files, where logs go."""
    root, mask, events = logging.getLogger(), os.umask(0o022), structlog.get_config()
    handlers, level = root.handlers, root.level
    try:
        yield
    finally:
        os.umask(mask)
        structlog.configure(**events)
        root.handlers, root.level = handlers, level
