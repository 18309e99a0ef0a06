"""One party of a session, supervised: its child process is started, given the job, waited for, and ended if need be."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from crypto.child_environment import child_environment
from crypto.errors import MpcAborted, MpcFormatError
from crypto.libraries import require
from crypto.mpc.abort import AbortReason
from crypto.mpc.job import Job, parse_outcome
from crypto.mpc.terms import MpcTerms
from crypto.mpc.vectors import signed, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRACE_SECONDS: Final = 10.0  # beyond the total deadline, which the child keeps itself
_STDERR_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class MpcResult:
    """What a session opened: the statistic, as the elements that all parties agreed on, and what it cost this party."""

    values: NDArray[Any]
    elements: bytes
    transcript: bytes
    contributors: int
    seconds: float
    bytes_sent: int


async def run_party(job: Job) -> MpcResult:
    """Run one party's session in a process of its own. Raises MpcAborted, MpcError (the result makes no statistic)."""
    require("multi-party studies", "numpy", "mpyc")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "crypto.mpc.child",
        stdin=PIPE, stdout=PIPE, stderr=PIPE, env=child_environment(),
        pass_fds=() if job.socket is None else (job.socket,),
        start_new_session=True,  # Ctrl-C ends the supervisor, and that has the child tell the others
    )  # fmt: skip
    try:
        answer, complaint = await asyncio.wait_for(_talk(process, job.to_bytes()), job.deadlines.total + GRACE_SECONDS)
    except TimeoutError:
        raise MpcAborted(AbortReason.TOO_LATE, job.index, None, "this party's process did not end") from None
    finally:
        await _end(process)
    try:
        opened = parse_outcome(answer)
    except MpcFormatError:
        said = complaint.decode(errors="replace").strip()[-_STDERR_CHARACTERS:]
        detail = f"this party's process ended with status {process.returncode}: {said}"
        raise MpcAborted(AbortReason.FAILED, job.index, None, detail) from None
    contributors = len(job.session.entries)
    values = decode_elements(job.session.terms, opened.elements, contributors)
    return MpcResult(values, opened.elements, opened.transcript, contributors, opened.seconds, opened.bytes_sent)


def decode_elements(terms: MpcTerms, elements: bytes, contributors: int) -> NDArray[Any]:
    """Return the statistic that opened elements make. Raises MpcFormatError, MpcInputError."""
    numbers = signed(terms.field, unpack(terms.field, elements))
    return terms.program.decode(terms, numbers, contributors)


async def _talk(process: Process, job: bytes) -> tuple[bytes, bytes]:
    assert process.stdin is not None  # noqa: S101 - all three are pipes
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101

    complaint = asyncio.create_task(process.stderr.read())
    answer = asyncio.create_task(process.stdout.read())
    with suppress(OSError):
        process.stdin.write(job)
        await process.stdin.drain()
    # Standard input stays open: its end tells the child that nobody waits for it any more.
    return await answer, await complaint


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()  # a child that still runs aborts, tells the others, and ends
    try:
        await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
