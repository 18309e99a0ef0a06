"""uvicorn's protocol on httptools, with an end to what it takes without understanding it.

httptools reads a request's head, a chunk's extension or the trailers of any length into memory before it hands them
on: a stranger could fill the memory of a server that has no word in it. h11 has a limit of its own.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes without a complete head or a piece of a body; above every setting of SECURE_API_MAX_HEADER_BYTES.
MAX_SILENT_BYTES: Final = 512 << 10


class HttpProtocol(HttpToolsProtocol):
    """One connection. Requires the extra `secure-api[speed]`."""

    _silent = 0

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer, unless they lead nowhere."""
        self._silent += len(data)
        if self._silent > MAX_SILENT_BYTES:
            self.send_400_response("Request header fields too large.")
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Count anew: a request begins."""
        self._silent = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Count anew: the head is complete."""
        self._silent = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count anew: a piece of the body came, which the application limits."""
        self._silent = 0
        super().on_body(body)
