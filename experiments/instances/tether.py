"""Servers that end with the process that started them, however it ends: by return, by Ctrl-C or by SIGKILL."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

# Runs a command until the pipe on its standard input closes, then asks it for a fast shutdown (SIGINT). When nothing
# was said before, whoever started it was killed: nobody else can remove the folder ($0) any more, or see that the
# command ends, within $1 seconds. The marker is written by a shell of its own, as a failed redirection of `:` ends the
# shell, and the folder may be gone already: whoever made it has it removed, too.
_WHILE_STDIN_IS_OPEN: Final = """
grace=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{
    said=$(cat <&3)
    test -n "$said" || test -z "$0" || (: > "$0/orphaned")
    kill -INT $server
    test -z "$said" || exit
    while test $grace -gt 0; do sleep 1; grace=$((grace - 1)); done
    kill -KILL $server
} 2>/dev/null & watch=$!
exec 3<&-
wait $server; status=$?
kill $watch 2>/dev/null
test -z "$0" || test ! -e "$0/orphaned" || rm -rf "$0"
exit $status
"""
_GRACE: Final = 60  # seconds that a server may take to shut down


def start_tethered(
    command: list[str], log: Path, account: dict[str, Any], *, temporary: Path | None = None, grace: int = _GRACE
) -> "subprocess.Popen[bytes]":
    """Start a server that runs for as long as this process does, or until `end_tethered`; its output goes to `log`.

    It has an environment and a process group of its own and works in the folder of `log`; `account` are arguments of
    Popen that say as whom it runs. A `temporary` folder is removed if this process ends without `end_tethered`;
    the server then has `grace` seconds to shut down.
    """
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - a program that we chose
            ["/bin/sh", "-c", _WHILE_STDIN_IS_OPEN, str(temporary or ""), str(grace), *command],
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
    if process.stdin is not None and not process.stdin.closed:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"end")
            process.stdin.close()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
