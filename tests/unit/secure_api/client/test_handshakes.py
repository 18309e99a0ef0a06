"""Waiting for a handshake that somebody else makes: whoever waited shares how it ended, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.client import ServerUnusable, Session, SignatureAuth
from secure_api.client.handshakes import Handshakes, Room

KEY, SERVER = (PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes([number]) * 32) for number in (1, 2))
URL = "http://server.example/v1/clients/me"
WAITERS = 5

pytestmark = pytest.mark.anyio


class Silence(httpx.AsyncBaseTransport):
    """A server that takes requests and answers none: what it does in the end is up to the test."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Handle one request (httpx calls this)."""
        self.paths.append(request.url.path)
        return await asyncio.shield(self.answer)


class Counting(Handshakes):
    """Tells how many asked for a handshake."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)

    def join(self, room: Room) -> Future[None] | None:
        """Ask for one."""
        under_way = super().join(room)
        self.asked.release()
        return under_way


def session() -> Session:
    """A session that is not open yet."""
    return Session(SignatureAuth(KEY, server_key=SERVER.public_key))


async def settle() -> None:
    """Let every other task go on until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_tasks_that_waited_get_the_failure_and_do_not_try_in_turn() -> None:
    silence = Silence()
    async with httpx.AsyncClient(auth=session(), transport=silence) as client:
        tasks = [asyncio.create_task(client.get(URL)) for _ in range(1 + WAITERS)]
        await settle()
        silence.answer.set_exception(httpx.ReadTimeout("silent"))
        first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, httpx.ReadTimeout)
    assert {(type(failed), str(failed)) for failed in others} == {
        (httpx.TransportError, "no session: the handshake that this request waited for got no answer")
    }
    assert silence.paths == ["/v1/sessions"]


async def test_what_the_server_refused_it_refused_to_all_who_waited() -> None:
    silence = Silence()
    async with httpx.AsyncClient(auth=session(), transport=silence) as client:
        tasks = [asyncio.create_task(client.get(URL)) for _ in range(1 + WAITERS)]
        await settle()
        silence.answer.set_result(httpx.Response(503))
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(failed) for failed in ended] == [ServerUnusable] * (1 + WAITERS)
        assert silence.paths == ["/v1/sessions"]
        with pytest.raises(ServerUnusable):
            await client.get(URL)
    assert silence.paths == ["/v1/sessions"] * 2, "who comes later tries anew"


async def test_a_task_that_is_cancelled_leaves_the_handshake_to_the_next() -> None:
    silence = Silence()
    async with httpx.AsyncClient(auth=session(), transport=silence) as client:
        tasks = [asyncio.create_task(client.get(URL)) for _ in range(1 + WAITERS)]
        await settle()
        tasks[0].cancel()
        await settle()
        assert (silence.paths, [task.done() for task in tasks]) == (["/v1/sessions"] * 2, [True] + [False] * WAITERS)
        tasks[2].cancel()  # one that waits: its going away concerns nobody
        await settle()
        assert [task.done() for task in tasks] == [True, False, True, False, False, False]
        silence.answer.set_exception(httpx.ReadTimeout("silent"))
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len(silence.paths) == 2


def test_threads_that_waited_get_the_failure_and_do_not_try_in_turn() -> None:
    silent, opened = threading.Event(), session()
    opened._handshakes = counting = Counting()
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        silent.wait()
        raise httpx.ReadTimeout("silent")

    with (
        httpx.Client(auth=opened, transport=httpx.MockTransport(answer)) as client,
        ThreadPoolExecutor(1 + WAITERS) as threads,
    ):
        first = threads.submit(client.get, URL)
        counting.asked.acquire()
        others = [threads.submit(client.get, URL) for _ in range(WAITERS)]
        for _ in others:
            counting.asked.acquire()
        silent.set()
        assert isinstance(first.exception(), httpx.ReadTimeout)
        assert {type(waited.exception()) for waited in others} == {httpx.TransportError}
    assert paths == ["/v1/sessions"]


def test_rooms_do_not_wait_for_one_another() -> None:
    handshakes, loops = Handshakes(), [asyncio.new_event_loop() for _ in range(2)]
    rooms = [None, *loops]
    assert [handshakes.join(room) for room in rooms] == [None] * 3
    waited = [handshakes.join(room) for room in rooms]
    assert len({id(future) for future in waited}) == 3
    with handshakes.lead(loops[0]):
        pass
    assert [isinstance(future, Future) and future.done() for future in waited] == [False, True, False]
    with pytest.raises(KeyboardInterrupt), handshakes.lead(None):
        raise KeyboardInterrupt
    assert isinstance(waited[0], Future)
    assert waited[0].result() is None, "nobody else was interrupted"
    for loop in loops:
        loop.close()
