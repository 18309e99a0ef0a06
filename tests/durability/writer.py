"""Writers: they send numbered batches of records, and keep book of what was acknowledged."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto import PrivateKey
from tests.attacks.wire import Wire
from tests.consortium import Message, compose
from tests.services.fixtures.secure_api_server import SecureApiServer

PATH = "/v1/datasets/durable/records"
RECORDS = 3  # of one write: enough to see a half of it


@dataclass
class Book:
    """The writes that remain, those that were acknowledged, and those whose answer never came."""

    remaining: list[int]
    acknowledged: dict[int, Message] = field(default_factory=dict)
    unanswered: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int | None:
        """Take the next write."""
        with self.lock:
            return self.remaining.pop() if self.remaining else None


def sign(server: SecureApiServer, key: PrivateKey, method: str, target: str, body: bytes = b"") -> Message:
    """Sign a request to a server."""
    return compose([key], method, target, body, now=datetime.now(UTC), authority=server.authority)


def batch(number: int) -> bytes:
    """The records of one write."""
    records = [
        {"time": "2026-11-22T09:30:00Z", "attributes": {"write": number, "record": record}} for record in range(RECORDS)
    ]
    return json.dumps(records).encode()


def write_all(
    server: SecureApiServer, keys: Sequence[PrivateKey], book: Book, enough: threading.Event, at: int
) -> None:
    """Let one writer a key write until nothing remains or the server is gone; `enough` is set `at` so many answers."""

    def write(key: PrivateKey) -> None:
        with Wire(server.port) as wire:
            while (number := book.take()) is not None:
                message = sign(server, key, "POST", PATH, batch(number))
                try:
                    reply = wire.exchange(message)
                except (OSError, http.client.HTTPException):
                    book.unanswered.add(number)
                    return
                assert (reply.status, reply.json) == (201, {"accepted": RECORDS}), reply
                with book.lock:
                    book.acknowledged[number] = message
                    if len(book.acknowledged) >= at:
                        enough.set()

    with ThreadPoolExecutor(len(keys)) as pool:
        for future in [pool.submit(write, key) for key in keys]:
            future.result()


def read_all(server: SecureApiServer, key: PrivateKey) -> Counter[tuple[int, int]]:
    """Read every record, page by page; counts how often each (write, record) is there."""
    found: Counter[tuple[int, int]] = Counter()
    query = "?limit=1000"
    with Wire(server.port) as wire:
        while True:
            page = wire.exchange(sign(server, key, "GET", PATH + query)).json
            found.update((item["attributes"]["write"], item["attributes"]["record"]) for item in page["records"])
            if page["next"] is None:
                return found
            query = f"?limit=1000&cursor={page['next']}"
