"""The answer of the peers to what they do not believe."""

from starlette.types import Send


async def refuse(send: Send) -> None:
    """Answer with 401 and nothing else."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
