"""The process of one party in one session: reads a job from standard input, answers on standard output, and ends.

It is started by `crypto.mpc.party`. When its standard input ends, its supervisor is gone, and it aborts.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from crypto.errors import CryptoError, MpcAborted, MpcError, MpcFormatError
from crypto.mpc.abort import AbortReason
from crypto.mpc.job import LENGTHS, MAX_BYTES, Job, Opened, outcome_bytes
from crypto.mpc.peers import Peers
from crypto.mpc.ring import MpycRing
from crypto.mpc.transcript import final_transcript
from crypto.mpc.vectors import add, pack, unpack

if TYPE_CHECKING:
    from crypto.mpc.vectors import Vector


def main() -> None:
    """Run one session."""
    # MPyC writes to standard output, which is the supervisor's here: what it writes goes to standard error.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    outcome: Opened | MpcError
    try:
        job = _read_job(sys.stdin.buffer)
        outcome = asyncio.run(run(job))
    except MpcError as error:
        outcome = error
    except CryptoError as error:
        outcome = MpcAborted(AbortReason.FAILED, None, None, str(error))
    with suppress(BrokenPipeError), answer:
        answer.write(outcome_bytes(outcome))


async def run(job: Job) -> Opened:
    """Connect, agree, compute and agree again; raises MpcAborted, after the other parties were told."""
    loop = asyncio.get_running_loop()
    peers = Peers(job)
    loop.add_signal_handler(signal.SIGTERM, peers.fail, MpcAborted(AbortReason.STOPPED, job.index))
    loop.set_exception_handler(lambda _, context: _unhandled(peers, context))
    helpers = [asyncio.create_task(peers.watch()), asyncio.create_task(_supervised(peers, job.index))]
    try:
        opened = await _within(job, peers, _session(job, peers))
    except MpcAborted as abort:
        await peers.farewell(abort)
        raise
    finally:
        for task in helpers:
            task.cancel()
    await peers.farewell(None)
    return opened


async def _session(job: Job, peers: Peers) -> Opened:
    terms = job.session.terms
    ring = MpycRing(terms, job.index, peers.fail)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _unhandled(peers, context))
    await peers.connect()
    await ring.join(peers)
    await peers.ready()
    began = asyncio.get_running_loop().time()
    result = await terms.program.compute(terms, ring, _shares(job))
    elements = pack(terms.field, result % terms.field.prime)
    transcript = final_transcript(job.session.transcript, elements)
    await peers.conclude(transcript)
    seconds = asyncio.get_running_loop().time() - began
    return Opened(elements, transcript, seconds, sum(link.nbytes_sent for link in peers.links.values()))


def _shares(job: Job) -> Vector:
    """Give this party's shares: a row a contribution, or their sum where a program adds only."""
    import numpy

    terms = job.session.terms
    size = terms.length * terms.field.width
    if len(job.shares) != size * len(job.session.entries):
        raise MpcFormatError("there is not one share vector a contribution")
    rows = (unpack(terms.field, job.shares[at : at + size], terms.length) for at in range(0, len(job.shares), size))
    return add(terms.field, rows) if terms.program.adds else numpy.stack(list(rows))


async def _within(job: Job, peers: Peers, session: Coroutine[Any, Any, Opened]) -> Opened:
    """Run until it is done, failed, or too late. Raises MpcAborted."""
    task = asyncio.create_task(session)
    ends: set[asyncio.Future[Any]] = {task, peers.failed}
    done, _ = await asyncio.wait(ends, timeout=job.deadlines.total, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        peers.fail(MpcAborted(AbortReason.TOO_LATE, None, None, f"not done after {job.deadlines.total:g} s"))
    if task in done and task.exception() is None:
        return task.result()
    if task in done:
        error = task.exception()
        if not isinstance(error, MpcAborted):
            error = MpcAborted(AbortReason.FAILED, job.index, None, f"{type(error).__name__}: {error}")
        peers.fail(error)
    task.cancel()
    await asyncio.wait({task})
    abort = peers.failed.exception()
    assert isinstance(abort, MpcAborted)  # noqa: S101 - nothing else is ever set
    raise abort


async def _supervised(peers: Peers, index: int) -> None:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin.buffer)
    await reader.read()
    peers.fail(MpcAborted(AbortReason.STOPPED, index, None, "the supervisor is gone"))


def _unhandled(peers: Peers, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, Exception) and not isinstance(error, OSError):
        detail = f"{context.get('message', '')}: {type(error).__name__}: {error}"
        peers.fail(MpcAborted(AbortReason.FAILED, None, None, detail))


def _read_job(stream: BinaryIO) -> Job:
    head = stream.read(LENGTHS.size)
    lengths = LENGTHS.unpack(head) if len(head) == LENGTHS.size else (0, 0)
    if not 0 < sum(lengths) <= MAX_BYTES:
        raise MpcFormatError("no job came")
    return Job.from_bytes(head + stream.read(sum(lengths)))


if __name__ == "__main__":
    main()
