"""A server that answers anything: what a person reaches who mistypes a URL, or whose proxy answers for the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class OddServer:
    """Answers every request with `status`, `fields` and `body`, or as `routes` say; remembers what it was sent."""

    status: int = 200
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    routes: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    hang: bool = False
    port: int = 0
    received: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def problem(self, status: int, document: bytes) -> None:
        """Answer with a problem document from now on."""
        self.status, self.body = status, document
        self.fields = {"Content-Type": "application/problem+json"}


@contextmanager
def odd_server() -> Iterator[OddServer]:
    """Run one in threads of this process."""
    answers = OddServer()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answers.received.append(
                (self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            if answers.hang:
                answers.finished.wait()
                return
            status, content = answers.routes.get((self.command, self.path), (answers.status, answers.body))
            self.send_response(status)
            for name, value in answers.fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        answers.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield answers
        finally:
            answers.finished.set()
            server.shutdown()
            thread.join()
