"""Sizes that are refused before anything is decoded."""

from starlette.types import ASGIApp, Receive, Scope, Send

from secure_api.api.problem import respond_to
from secure_api.domain.errors import DomainError, HeadersTooLarge, Invalid, PayloadTooLarge
from secure_api.domain.limits import Limits

SIGNATURE_FIELDS = frozenset({b"signature", b"signature-input", b"content-digest"})
MAX_LENGTH_DIGITS = 12


class LimitsMiddleware:
    """Refuse header fields, paths and declared bodies over the server's limits."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            try:
                self.check(scope)
            except DomainError as error:
                await respond_to(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def check(self, scope: Scope) -> None:
        """Check one request's head.

        Raises:
            HeadersTooLarge: all fields together, a signature field, or the path with its query.
            Invalid: the declared length of the body is none.
            PayloadTooLarge: it is over the limit.
        """
        total = 0
        fields: dict[bytes, int] = {}
        for name, value in scope["headers"]:
            size = len(name) + len(value)
            total += size
            if name in SIGNATURE_FIELDS:
                fields[name] = fields.get(name, 0) + len(value)
            elif name == b"content-length":
                if not value.isdigit():
                    raise Invalid("Content-Length is a number of bytes.")
                if len(value) > MAX_LENGTH_DIGITS or int(value) > self.limits.max_body_bytes:
                    raise PayloadTooLarge(f"A body may have {self.limits.max_body_bytes} bytes at most.")
        if total > self.limits.max_header_bytes:
            raise HeadersTooLarge(f"All header fields may have {self.limits.max_header_bytes} bytes at most.")
        if any(size > self.limits.max_field_bytes for size in fields.values()):
            raise HeadersTooLarge(f"A signature field may have {self.limits.max_field_bytes} bytes at most.")
        if len(scope["raw_path"]) + len(scope["query_string"]) > self.limits.max_path_bytes:
            raise HeadersTooLarge(f"Path and query may have {self.limits.max_path_bytes} bytes at most.")
