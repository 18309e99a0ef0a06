"""Having a public context looked at by a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

from crypto.child_environment import child_environment
from crypto.errors import ContextRefused, InspectionFailed
from crypto.homomorphic.facts import ContextFacts

MAX_ANSWER: Final = 4_096  # bytes
DEADLINE: Final = 60.0  # seconds
_TOO_LARGE: Final = "the context has more than {} bytes"


async def inspect_context(content: bytes, *, max_bytes: int, deadline: float = DEADLINE) -> ContextFacts:
    """Return what a public context of at most `max_bytes` is; the process that parses it may die without harm.

    Raises:
        ContextRefused: it is none that encrypted sums can use.
        InspectionFailed: the process did not answer within `deadline` seconds, or could not be started.
    """
    if len(content) > max_bytes:
        raise ContextRefused(_TOO_LARGE.format(max_bytes))
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "crypto.homomorphic.inspector",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
        )
    except OSError as error:
        raise InspectionFailed("no process could be started to look at the context") from error
    try:
        async with asyncio.timeout(deadline):
            answer, _ = await process.communicate(content)
    except TimeoutError:
        raise InspectionFailed("the process that looks at contexts did not answer in time") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or len(answer) > MAX_ANSWER:
        raise ContextRefused("the bytes ended the process that looked at them")
    try:
        told = json.loads(answer)
    except ValueError:
        raise ContextRefused("the bytes ended the process that looked at them") from None
    if isinstance(told, dict) and "failed" in told:
        raise InspectionFailed(str(told["failed"]))
    if isinstance(told, dict) and "refused" in told:
        raise ContextRefused(str(told["refused"]))
    return ContextFacts.from_json(answer)
