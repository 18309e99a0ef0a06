"""A small study whose parties are processes on this machine, and one of them is the test's to treat badly."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy
import psutil

from crypto.errors import MpcAborted
from crypto.mpc import Deadlines, MpcResult, MpcTerms, run_party
from crypto.mpc.job import Job
from crypto.mpc.local import local_jobs
from crypto.mpc.peers import Peers

PATIENT = Deadlines(connect=60.0, round=60.0, total=300.0)
VALUES = [numpy.array([1.5, -2.0]), numpy.array([0.25, 4.0]), numpy.array([3.0, 1.0])]
TOTAL = [4.75, 3.0]


def terms(statistic: str = "sum", **arguments: float) -> MpcTerms:
    return MpcTerms("flu-2026", statistic, 2, -8.0, 8.0, arguments=arguments)


class LocalStudy:
    """The jobs of three parties; `outcomes` runs some as processes, `enter` plays one in the test's own process."""

    def __init__(self, folder: Path, study: MpcTerms, deadlines: Deadlines) -> None:
        self.jobs, self.sockets = local_jobs(study, VALUES, deadlines, folder)

    def limited(self, **seconds: float) -> LocalStudy:
        """Give every party other deadlines."""
        self.jobs = [replace(job, deadlines=replace(job.deadlines, **seconds)) for job in self.jobs]
        return self

    def again(self, attempt: int) -> None:
        """Make the jobs of another attempt, at new ports."""
        self.close()
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in self.jobs]
        addresses = tuple(("127.0.0.1", listening.getsockname()[1]) for listening in self.sockets)
        self.jobs = [
            replace(
                job,
                session=replace(job.session, attempt=attempt),
                addresses=addresses,
                socket=self.sockets[job.index].fileno(),
            )
            for job in self.jobs
        ]

    async def outcomes(self, *indices: int) -> list[MpcResult | MpcAborted]:
        return await asyncio.gather(*(outcome(self.jobs[index]) for index in indices))

    async def enter(self, job: Job) -> Peers:
        """Connect as a party that has a true certificate and says what the test wants."""
        assert job.socket is not None
        peers = Peers(replace(job, socket=os.dup(job.socket)))
        await peers.connect()
        return peers

    def close(self) -> None:
        for listening in self.sockets:
            listening.close()


def quiet_port() -> socket.socket:
    """A socket bound below the ports that connections are given: who dials one of these may meet itself."""
    while True:
        bound = socket.socket()
        try:
            bound.bind(("127.0.0.1", 20_000 + secrets.randbelow(12_000)))
        except OSError:
            bound.close()
        else:
            return bound


async def outcome(job: Job) -> MpcResult | MpcAborted:
    try:
        return await run_party(job)
    except MpcAborted as abort:
        return abort


@asynccontextmanager
async def process_of(job: Job) -> AsyncIterator[psutil.Process]:
    """A party's process, from when it is connected to two others; it is killed at the end."""
    assert job.socket is not None
    command = [sys.executable, "-P", "-m", "crypto.mpc.child"]
    pipe = subprocess.PIPE
    # Not asyncio's: its own watch over a process that is killed would get in the way.
    with subprocess.Popen(  # noqa: ASYNC220
        command, stdin=pipe, stdout=subprocess.DEVNULL, pass_fds=[job.socket]
    ) as child:
        try:
            assert child.stdin is not None
            child.stdin.write(job.to_bytes())
            child.stdin.flush()
            process = psutil.Process(child.pid)
            while sum(link.status == "ESTABLISHED" for link in process.net_connections("tcp")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            yield process
        finally:
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
