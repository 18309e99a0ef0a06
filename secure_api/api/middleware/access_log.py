"""One log line a request: who, what, how it ended, how long it took."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from secure_api.services.authentication import Authentication

log = structlog.get_logger("secure_api.access")


class AccessLogMiddleware:
    """Log every HTTP request when its response is complete."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            authentication = scope.get("state", {}).get("authentication")
            caller = authentication.caller if isinstance(authentication, Authentication) else None
            log.info(
                "request",
                method=scope["method"],
                path=scope["raw_path"].decode("ascii", "backslashreplace"),  # as sent: a line feed stays %0A
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1e3, 3),
                client=None if caller is None else caller.client_id,
                organization=None if caller is None else caller.organization,
            )
