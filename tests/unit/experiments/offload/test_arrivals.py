"""How long a loop leaves newcomers waiting: the delays are those of the loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from experiments import ArmFailed
from experiments.offload.arrivals import LONGEST, Arrivals, arrive


@pytest.fixture
def arrivals() -> Iterator[Arrivals]:
    with contextlib.closing(Arrivals()) as one:
        yield one


async def _delays(arrivals: Arrivals, *blocked: float) -> list[float]:
    arrivals.begin()
    for seconds in blocked:
        await asyncio.sleep(0.002)
        time.sleep(seconds)  # noqa: ASYNC251 - what is to be seen
    await asyncio.sleep(4 * LONGEST)
    return await arrivals.end()


def test_a_loop_that_is_blocked_leaves_newcomers_waiting(arrivals: Arrivals) -> None:
    async def both() -> tuple[list[float], list[float]]:
        return await _delays(arrivals), await _delays(arrivals, 0.2, 0.1)

    free, blocked = asyncio.run(both())
    assert all(delay > 0 for delay in free + blocked)
    assert sum(delay > 50_000 for delay in blocked) > 10
    assert max(blocked) > 150_000
    assert sorted(free)[len(free) // 2] < 50_000


def test_the_shortest_visit_is_seen(arrivals: Arrivals) -> None:
    async def at_once() -> list[float]:
        arrivals.begin()
        return await arrivals.end()

    assert len(asyncio.run(at_once())) >= 1
    assert len(asyncio.run(at_once())) >= 1, "and nothing is left of the first"


@pytest.mark.parametrize("before", [True, False])
def test_a_process_that_has_ended_is_told(arrivals: Arrivals, before: bool) -> None:
    async def end() -> list[float]:
        if before:
            arrivals._process.kill()
            arrivals._process.wait()
        arrivals.begin()
        arrivals._process.kill()
        arrivals._process.wait()
        return await arrivals.end()

    with pytest.raises(ArmFailed, match="has ended"):
        asyncio.run(end())


def test_it_arrives_between_two_bytes_and_leaves_with_the_other_end() -> None:
    here, there = socket.socketpair()
    with there:
        visitor = threading.Thread(target=arrive, args=(there, random.Random(1)))
        with here:
            visitor.start()
            here.send(b"+")
            (first,) = struct.unpack("=q", here.recv(8))
            assert 0 <= time.monotonic_ns() - first < 60e9
            here.send(b"-")
            received = b""
            while not received.endswith(bytes(8)):
                received += here.recv(4096)
            here.send(b"+")
            assert here.recv(8) != bytes(8)
        visitor.join()
    assert not visitor.is_alive()
