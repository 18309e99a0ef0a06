"""The route that every arm has, with no protection, and the bodies that are sent to it."""

import json
import os
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Request

PATH: Final = "/v1/echo"
#: Tells which process answers: public, and never asked within a window.
WORKER: Final = "/worker"
LEAST: Final = 64
_ID: Final = "0b5c6a4e"


def make_app(lifespan: Callable[[FastAPI], Any] | None = None) -> FastAPI:
    """Make an application with one route, which reads its JSON and answers with a few bytes about it."""
    app = FastAPI(lifespan=lifespan)

    @app.post(PATH)
    async def echo(request: Request) -> dict[str, object]:
        """Say how many values there are."""
        document = await request.json()
        return {"id": document["id"], "count": len(document["values"])}

    @app.get(WORKER)
    async def worker() -> int:
        """Say which process this is."""
        return os.getpid()

    return app


def body(size: int) -> bytes:
    """Make a JSON document of exactly `size` bytes (64 at least): one long string, cheap to read, and a few numbers."""
    values = _values(size)
    bare = json.dumps({"id": _ID, "note": "", "values": values})
    return json.dumps({"id": _ID, "note": "x" * (size - len(bare)), "values": values}).encode()


def answer(size: int) -> dict[str, object]:
    """Give what the route answers to a body of that size."""
    return {"id": _ID, "count": len(_values(size))}


def _values(size: int) -> list[float]:
    return [number * 7 % 1000 / 10 for number in range(max(0, min(100, (size - LEAST) // 8)))]
