"""The route that every arm has, with no protection, and requests to it as bytes."""

import json
from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Request

PATH: Final = "/v1/echo"
AUTHORITY_FIELD: Final = "host"


def make_app(lifespan: Callable[[FastAPI], Any] | None = None) -> FastAPI:
    """Make an application with one route, which reads its JSON and answers with a few bytes about it."""
    app = FastAPI(lifespan=lifespan)

    @app.post(PATH)
    async def echo(request: Request) -> dict[str, object]:
        """Say how many values there are."""
        document = await request.json()
        return {"id": document["id"], "count": len(document["values"])}

    return app


def body(size: int) -> bytes:
    """Make a JSON document of exactly `size` bytes (64 at least): one long string, cheap to read, and a few numbers."""
    values = [number * 7 % 1000 / 10 for number in range(max(0, min(100, (size - 64) // 8)))]
    bare = json.dumps({"id": "0b5c6a4e", "note": "", "values": values})
    note = "x" * (size - len(bare))
    return json.dumps({"id": "0b5c6a4e", "note": note, "values": values}).encode()


def raw(authority: str, content: bytes, fields: list[tuple[str, str]], path: str = PATH) -> bytes:
    """Write one HTTP/1.1 request: the four fields that every arm sends, and the arm's own."""
    lines = [(AUTHORITY_FIELD, authority), ("content-type", "application/json"), ("accept", "*/*")]
    lines += [("content-length", str(len(content))), *fields]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content
