"""The answer to an authenticated request, on its way out: counted, and where asked for sealed and signed."""

from starlette.types import Message, Send

from crypto import Response
from secure_api.services.authentication import Authentication
from secure_api.services.exchange import Exchanger, OpenedBody

NO_STORE = (b"cache-control", b"no-store")


class Answer:
    """An ASGI `send`. Without a wish for a seal or a signature it passes messages on; else it waits for the whole body.

    `label` is where the signature goes, None when nobody asked for one; `opened` says how the request was sealed.
    """

    def __init__(self, send: Send, exchanger: Exchanger, authentication: Authentication) -> None:
        self.label: str | None = None
        self.opened = OpenedBody(b"", "")
        self._send = send
        self._exchanger = exchanger
        self._authentication = authentication
        self._start: Message = {}
        self._chunks: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Take the next message of the application's."""
        whole = self.label is not None or self.opened.context is not None
        if message["type"] == "http.response.start":
            # A cache does not know that Signature authenticates: it must not hand one client's answer to another.
            headers = message["headers"]
            if not any(name == b"cache-control" for name, _ in headers):
                message["headers"] = [*headers, NO_STORE]
            if whole:
                self._start = message
                return
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if not whole:
                self._count(body)
            else:
                self._chunks.append(body)
                if not message.get("more_body", False):
                    await self._finish()
                return
        await self._send(message)

    async def _finish(self) -> None:
        session = self._authentication.session
        headers = tuple((name.lower(), value) for name, value in self._start["headers"])
        response = Response(self._start["status"], headers, b"".join(self._chunks))
        response = self._exchanger.seal(response, self.opened, session)
        if self.label is not None:
            response = self._exchanger.sign(response, self._authentication, self.label)
        self._count(response.body)
        await self._send({**self._start, "headers": list(response.headers)})
        await self._send({"type": "http.response.body", "body": response.body, "more_body": False})

    def _count(self, body: bytes) -> None:
        if self._authentication.session is not None:
            self._authentication.session.count_answer(len(body))
