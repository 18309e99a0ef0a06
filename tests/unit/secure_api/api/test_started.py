"""A coroutine that is started before it is known whether it waits."""

from __future__ import annotations

import asyncio

import pytest

from secure_api.api.started import Started


async def after(event: asyncio.Event | None, result: str) -> str:
    if event is not None:
        await event.wait()
    return result


def test_what_waits_for_nothing_is_done_without_a_loop() -> None:
    first = Started(after(None, "there"))
    assert first.done
    assert first.value == "there"


async def failing() -> str:
    raise LookupError("at once")


def test_what_fails_at_once_fails_at_once() -> None:
    with pytest.raises(LookupError, match="at once"):
        Started(failing())


def test_what_waits_goes_on_where_it_was() -> None:
    async def scene() -> str:
        event = asyncio.Event()
        first = Started(after(event, "later"))
        assert not first.done
        asyncio.get_running_loop().call_soon(event.set)
        return await first.rest()

    assert asyncio.run(scene()) == "later"


def test_several_waits_and_a_failure_among_them() -> None:
    async def thrice() -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        raise LookupError("late")

    async def scene() -> str:
        return await Started(thrice()).rest()

    with pytest.raises(LookupError, match="late"):
        asyncio.run(scene())


def test_a_timeout_reaches_the_place_that_waits() -> None:
    told = []

    async def patient() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        return "never"

    async def scene() -> None:
        first = Started(patient())
        async with asyncio.timeout(0.01):
            await first.rest()

    with pytest.raises(TimeoutError):
        asyncio.run(scene())
    assert told == ["cancelled"]


def test_what_is_no_coroutine_is_awaited_all_the_same() -> None:
    async def scene() -> str:
        future = asyncio.get_running_loop().create_future()
        first = Started(future)
        assert not first.done
        asyncio.get_running_loop().call_soon(future.set_result, "set")
        return str(await first.rest())

    assert asyncio.run(scene()) == "set"
