"""The one gate that every JSON body passes before anything else sees it.

FastAPI alone turns NaN and 1e400 into null, keeps the last of two equal keys and answers a lone surrogate with 500.
Here the body is parsed once, by `strict_json`, ahead of FastAPI's own handling; FastAPI then asks the request for its
JSON and is given that.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from secure_api.domain import strict_json
from secure_api.domain.errors import Invalid, UnsupportedMediaType
from secure_api.domain.strict_json import JsonValue

JSON = "application/json"


class GatedRequest(Request):
    """A request whose JSON passed the gate already."""

    gated: JsonValue = None

    async def json(self) -> JsonValue:
        """Give what the gate accepted."""
        return self.gated


class JsonRoute(APIRoute):
    """Route of which every body is JSON that passes the gate."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler with the gate."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def gated(request: Request) -> Response:
            gated_request = GatedRequest(request.scope, request.receive)
            body = await gated_request.body()
            if body and not takes_body:
                raise Invalid("This route takes no body.")
            if body:
                check_content_type(gated_request.headers.get("content-type", ""))
                limits = request.app.state.server.limits
                gated_request.gated = strict_json.loads(body, max_depth=limits.max_json_depth)
            return await handle(gated_request)

        return gated


def check_content_type(value: str) -> None:
    """Accept `application/json`, with no charset or UTF-8.

    Raises:
        UnsupportedMediaType: the body says it is something else.
    """
    essence, _, parameters = value.partition(";")
    if essence.strip().lower() != JSON:
        raise UnsupportedMediaType(f"The body must be {JSON}.")
    if parameters.strip().lower().replace('"', "") not in {"", "charset=utf-8"}:
        raise UnsupportedMediaType("JSON is UTF-8, and takes no other parameter.")
