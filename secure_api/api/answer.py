"""The answer to an authenticated request that is to be sealed or signed on its way out."""

from starlette.types import Message, Send

from crypto import Response
from secure_api.services.authentication import Authentication
from secure_api.services.exchange import Exchanger, OpenedBody


class Answer:
    """An ASGI `send` that waits for the whole body, then seals and signs.

    `label` is where the signature goes, None when nobody asked for one; `opened` says how the request was sealed. The
    answer to a HEAD request is `bodiless`: its digest is of no bytes (RFC 9530 §B.2), and there is nothing to seal.
    """

    def __init__(
        self, send: Send, exchanger: Exchanger, authentication: Authentication, *, bodiless: bool = False
    ) -> None:
        self.label: str | None = None
        self.opened = OpenedBody(b"", "")
        self._send = send
        self._exchanger = exchanger
        self._authentication = authentication
        self._bodiless = bodiless
        self._start: Message = {}
        self._chunks: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Take the next message of the application's."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish()
        else:
            await self._send(message)

    async def _finish(self) -> None:
        headers = tuple((name.lower(), value) for name, value in self._start["headers"])
        response = Response(self._start["status"], headers, b"" if self._bodiless else b"".join(self._chunks))
        if not self._bodiless:
            response = self._exchanger.seal(response, self.opened, self._authentication.session)
        if self.label is not None:
            response = self._exchanger.sign(response, self._authentication, self.label)
        await self._send({**self._start, "headers": list(response.headers)})
        await self._send({"type": "http.response.body", "body": response.body, "more_body": False})
