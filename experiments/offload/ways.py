"""Ways to verify a signature from within an event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import anyio.to_thread

#: Raises when the signature (first) is not one of the message (second).
Verify = Callable[[bytes, bytes], None]
Way = Callable[[Verify, bytes, bytes], Awaitable[None]]


async def inline(verify: Verify, signature: bytes, message: bytes) -> None:
    """Verify in the loop, as the product does; then let the others have their turn."""
    verify(signature, message)
    await asyncio.sleep(0)


async def to_thread(verify: Verify, signature: bytes, message: bytes) -> None:
    """Verify in a thread of asyncio's, of which there are four more than cores."""
    await asyncio.to_thread(verify, signature, message)


async def worker_thread(verify: Verify, signature: bytes, message: bytes) -> None:
    """Verify in a worker thread of anyio, which is how FastAPI runs what is not `async`; there are up to 40."""
    await anyio.to_thread.run_sync(verify, signature, message)


#: By the name that an arm gives them.
WAYS: Final[Mapping[str, Way]] = MappingProxyType(
    {"inline": inline, "asyncio.to_thread": to_thread, "anyio.to_thread": worker_thread}
)
