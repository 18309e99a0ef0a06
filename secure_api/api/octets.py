"""Bodies that are bytes, not JSON."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from secure_api.domain.errors import UnsupportedMediaType

OCTETS = "application/octet-stream"
#: What OpenAPI says of a route that takes such a body.
OCTETS_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}
#: What OpenAPI says of a route that answers with one.
OCTETS_ANSWER: dict[str, Any] = {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}


class OctetRoute(APIRoute):
    """Route of which every body is `application/octet-stream`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler with the check of the content type."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.headers.get("content-type", "").strip().lower() != OCTETS:
                raise UnsupportedMediaType(f"The body must be {OCTETS}.")
            return await handle(request)

        return checked


async def get_octets(request: Request) -> bytes:
    """Give the body."""
    return await request.body()


OctetsDependency = Annotated[bytes, Depends(get_octets)]
