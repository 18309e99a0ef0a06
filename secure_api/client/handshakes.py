"""Who makes a handshake, and who waits for it and shares how it ends."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import httpx

#: Who can wait for one another: the tasks of an event loop, or (None) all threads with a sync client. Nobody waits
#: across rooms: a loop may stand still for a sync client in one of its own tasks, and would never wake it.
Room = asyncio.AbstractEventLoop | None


class Handshakes:
    """The handshakes under way, at most one in each room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Room, Future[None]] = {}

    def join(self, room: Room) -> Future[None] | None:
        """Give the handshake to wait for. None when there was none: it is the caller's then, who must `lead`.

        The future has the leader's exception when the handshake failed, and nothing when it went well or was called
        off: look again then.
        """
        with self._lock:
            if (under_way := self._under_way.get(room)) is not None:
                return under_way
            mine = self._under_way[room] = Future()
            mine.set_running_or_notify_cancel()  # from here on nobody who waits can cancel it for the others
            return None

    @contextmanager
    def lead(self, room: Room) -> Iterator[None]:
        """Tell everybody who waits how the block ended, whatever happens in it."""
        try:
            yield
        except BaseException as error:
            self._end(room, _shared(error, room))
            raise
        self._end(room, None)

    def _end(self, room: Room, failure: Exception | None) -> None:
        with self._lock:
            mine = self._under_way.pop(room)
        if failure is None:
            mine.set_result(None)
        else:
            mine.set_exception(failure)


def _shared(error: BaseException, room: Room) -> Exception | None:
    """Give the failure that concerns those who wait, too: not that the leader's own task was cancelled."""
    if isinstance(error, Exception):
        return error
    if not isinstance(error, GeneratorExit) or _cancelled(room):
        return None
    # httpx closes the flow of a request that got no answer, and does not tell it why.
    return httpx.TransportError("no session: the handshake that this request waited for got no answer")


def _cancelled(room: Room) -> bool:
    task = None if room is None else asyncio.current_task(room)
    return task is not None and task.cancelling() > 0
