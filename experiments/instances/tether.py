"""Servers that end with the process that started them, however it ends: by return, by Ctrl-C or by SIGKILL."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

# Runs a command until the pipe on its standard input closes, then asks it for a fast shutdown (SIGINT).
_WHILE_STDIN_IS_OPEN: Final = """
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ cat <&3 >/dev/null; kill -INT $server; } 2>/dev/null & watch=$!
exec 3<&-
wait $server; status=$?
kill $watch 2>/dev/null
exit $status
"""
_GRACE: Final = 60  # seconds that a server may take to shut down


def start_tethered(command: list[str], log: Path, account: dict[str, Any]) -> "subprocess.Popen[bytes]":
    """Start a server that runs for as long as this process does, or until `end_tethered`; its output goes to `log`.

    It has an environment and a process group of its own and works in the folder of `log`; `account` are arguments of
    Popen that say as whom it runs.
    """
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - a program that we chose
            ["/bin/sh", "-c", _WHILE_STDIN_IS_OPEN, "sh", *command],
            cwd=log.parent,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **account,
        )


def end_tethered(process: "subprocess.Popen[bytes]", grace: float = _GRACE) -> None:
    """Let a server shut down, for at most `grace` seconds; then end it and all that it started."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
