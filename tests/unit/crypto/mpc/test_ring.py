"""MPyC as a party's process has it. It has one runtime a process, so each case is a process of its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BEGIN = """
import asyncio, pathlib, pickle, sys
from crypto.errors import MpcFormatError
from crypto.mpc import MpcTerms
from crypto.mpc.ring import MpycRing

async def main():
    ring = MpycRing(MpcTerms("s", "sum", 1, 0.0, 1.0), 1, print)
    import mpyc.runtime as runtime
"""


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def run(body: str) -> str:
    program = BEGIN + "".join(f"    {line}\n" for line in body.strip().splitlines()) + "asyncio.run(main())\n"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_nothing_that_names_code_is_unpickled_in_a_partys_process(tmp_path: Path) -> None:
    target = tmp_path / "touched"
    malicious = pickle.dumps(Touch(target))
    pickle.loads(malicious)
    assert target.exists()
    target.unlink()
    told = run(f"""
for loads in (pickle.loads, runtime.pickle.loads, pickle._loads):
    try:
        loads({malicious!r})
    except MpcFormatError:
        print("refused")
""")
    assert told.split() == ["refused"] * 3
    assert not target.exists()


def test_mpycs_own_transport_is_refused() -> None:
    told = run("""
for name in ("start", "shutdown", "transfer", "input", "run"):
    try:
        getattr(runtime.mpc, name)(None)
    except MpcFormatError:
        print(name)
""")
    assert told.split() == ["start", "shutdown", "transfer", "input", "run"]


def test_vectors_of_different_lengths_are_not_recombined() -> None:
    told = run("""
import numpy
field = runtime.mpc.SecInt(1, 2**61 - 1).field
points = [(1, numpy.array([5, 6], dtype=object)), (2, numpy.array([5], dtype=object))]
try:
    runtime.thresha.np_recombine(field, points)
except MpcFormatError:
    print("refused")
print(runtime.thresha.np_recombine(field, [(1, points[0][1]), (2, points[0][1])]))
""")
    assert told.split() == ["refused", "[5", "6]"]


def test_a_failing_coroutine_of_mpyc_fails_the_session_and_not_the_loop() -> None:
    told = run("""
@runtime.mpc.coroutine
async def failing(error):
    await runtime.mpc.returnType(asyncio.Future)
    await asyncio.sleep(0)
    raise error
failing(MpcFormatError("garbage"))
failing(ZeroDivisionError("a defect"))
await asyncio.sleep(0.1)
print("the loop goes on")
""")
    lines = told.splitlines()
    assert ["malformed" in lines[0], "failed" in lines[1], lines[2]] == [True, True, "the loop goes on"]
