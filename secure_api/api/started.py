"""Awaiting something that is usually there already.

A server has most bodies in hand when the application asks for them. To arm a timer for each costs more than to read
it; so a coroutine is started first, and only one that really waits is put under a timeout.
"""

import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Started(Generic[T]):
    """An awaitable, run up to the first thing that it waits for. Raises whatever the coroutine raises on the way."""

    __slots__ = ("_coroutine", "_waits_for", "done", "value")

    value: T

    def __init__(self, awaitable: Awaitable[T]) -> None:
        coroutine = awaitable if isinstance(awaitable, types.CoroutineType) else _awaited(awaitable)
        self._coroutine: Coroutine[Any, Any, T] = coroutine
        self._waits_for: Any = None
        self.done = False
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration as stop:
            self.done, self.value = True, stop.value

    @types.coroutine
    def rest(self) -> Generator[Any, Any, T]:
        """Run the rest, which waits for something; returns the coroutine's result."""
        while True:
            error, answer = None, None
            try:
                answer = yield self._waits_for
            except BaseException as raised:  # a cancellation, to be delivered where the coroutine waits
                error = raised
            try:
                self._waits_for = self._coroutine.send(answer) if error is None else self._coroutine.throw(error)
            except StopIteration as stop:
                value: T = stop.value
                return value


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable
