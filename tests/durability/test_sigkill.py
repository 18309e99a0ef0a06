"""What was acknowledged is kept: the server is killed again and again in the middle of 300 writes.

Of 1,000 with `STUDY_KILLS=1`, as every other kill at more points.
"""

from __future__ import annotations

import threading

from tests.attacks.wire import exchange
from tests.durability.conftest import EVERY_KILL, Start
from tests.durability.ledger import verified
from tests.durability.members import contributors
from tests.durability.writer import RECORDS, Book, read_all, write_all

WRITES = 1_000 if EVERY_KILL else 300
WRITERS = 8
KILLS = tuple(WRITES * tenths // 10 for tenths in (3, 6, 9))  # acknowledged writes at which the server is killed


def test_every_acknowledged_write_survives(start: Start) -> None:
    server = start()
    keys = contributors(server, WRITERS)
    book = Book(list(range(WRITES)))
    for kill in (*KILLS, WRITES + 1):
        enough = threading.Event()
        writers = threading.Thread(target=write_all, args=(server, keys, book, enough, kill))
        writers.start()
        if kill <= WRITES:
            enough.wait()
            server.process.kill()
            writers.join()
            server = start()
            latest = list(book.acknowledged.values())[-1]
            assert exchange(server.port, latest).status == 401, "a message from before the crash was believed again"
        writers.join()

    assert not book.remaining
    assert len(book.acknowledged) + len(book.unanswered) == WRITES
    assert len(book.unanswered) <= WRITERS * len(KILLS)
    found = read_all(server, keys[0])
    assert set(found.values()) == {1}, "a record is there twice"
    for number in book.acknowledged:
        assert all((number, record) in found for record in range(RECORDS)), f"write {number} is lost"
    kept = {number for number, _ in found}
    for number in kept - book.acknowledged.keys():
        assert number in book.unanswered
        assert all((number, record) in found for record in range(RECORDS)), f"write {number} is there in part"
    assert verified(server.url).records == len(found) == RECORDS * len(kept)
