"""The load generator and single questions, against a server that answers as a test tells it to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from experiments import ArmFailed
from experiments.servers.connections import ask, connect, spread
from experiments.servers.load import Traffic, drive
from experiments.servers.message import Message

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
MESSAGE = Message.compose("127.0.0.1", "/", [("x-number", "1")], b"body")
#: Answers the request of a number (from 0) of one connection, in pieces; None closes the connection.
Script = Callable[[int], "tuple[bytes, ...] | None"]


@contextmanager
def scripted(script: Script) -> Iterator[int]:
    """Serve by a script; gives the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection, script), daemon=True).start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()


def serve(connection: socket.socket, script: Script) -> None:
    number, data = 0, b""
    with connection, suppress(ConnectionError):  # the load goes when it has seen enough
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        while received := connection.recv(65_536):
            data += received
            while data.endswith(MESSAGE.body) and data:
                data = b""
                pieces = script(number)
                number += 1
                if pieces is None:
                    return
                for piece in pieces:
                    connection.sendall(piece)


def driven(script: Script, count: int = 20, status: int = 200, lead: int = 4) -> tuple[Traffic, list[str]]:
    seen: list[str] = []
    with scripted(script) as port:
        traffic = drive(
            spread(port, 4, 1),
            [MESSAGE] * lead,
            [MESSAGE] * count,
            status=status,
            begin=lambda: seen.append("begin"),
            end=lambda: seen.append("end"),
        )
    return traffic, seen


@pytest.mark.parametrize(
    "pieces", [(OK,), (OK[:9], OK[9:]), (OK[:-2], OK[-2:]), tuple(OK[i : i + 1] for i in range(len(OK)))]
)
def test_counts_whole_answers_to_what_is_no_lead(pieces: tuple[bytes, ...]) -> None:
    traffic, seen = driven(lambda _number: pieces)
    assert seen == ["begin", "end"]
    assert len(traffic.latencies) == 20
    assert min(traffic.latencies) > 0
    assert traffic.received == 20 * len(OK)


def test_a_window_may_have_no_lead_and_a_lead_no_window() -> None:
    assert len(driven(lambda _number: (OK,), lead=0)[0].latencies) == 20
    assert driven(lambda _number: (OK,), count=0)[0].latencies == []


@pytest.mark.parametrize(
    ("answer", "status", "what"),
    [
        (
            (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",),
            200,
            "the server answers HTTP/1.1 401 Unauthorized",
        ),
        ((OK,), 201, "the server answers HTTP/1.1 200 OK"),
        ((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",), 200, "does not say how long"),
        ((b"220 mail.example ESMTP\r\n\r\n",), 200, "the server answers 220 mail.example"),
        (None, 200, "the server closed a connection"),
    ],
)
def test_any_other_answer_fails(answer: tuple[bytes, ...] | None, status: int, what: str) -> None:
    with pytest.raises(ArmFailed, match=what):
        driven(lambda number: answer if number == 2 or status == 201 else (OK,), status=status)


def test_a_question_gets_its_answer_over_a_connection_that_stays_open() -> None:
    with scripted(lambda _number: (OK,)) as port, connect(port) as connection:
        for _ in range(2):
            answer = ask(connection, MESSAGE)
            assert (answer.status, answer.fields, answer.body) == (200, {"content-length": "5"}, b"hello")


@pytest.mark.parametrize("answer", [None, (b"no HTTP at all\r\n\r\n",)])
def test_a_question_without_an_answer_fails(answer: tuple[bytes, ...] | None) -> None:
    with (
        scripted(lambda _number: answer) as port,
        connect(port) as connection,
        pytest.raises(ArmFailed, match="the server does not answer"),
    ):
        ask(connection, MESSAGE)


def test_a_port_where_nobody_listens_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ArmFailed, match="the server takes no connection"):
        connect(port)


def test_a_message_is_edited_where_it_can_be() -> None:
    assert MESSAGE.value("x-number") == b"1"
    assert MESSAGE.edited(b"x-number: 1", b"x-number: 2").value("x-number") == b"2"
    assert len(MESSAGE) == len(MESSAGE.head + MESSAGE.body)
    with pytest.raises(ArmFailed, match="has no field x-name"):
        MESSAGE.value("x-name")
    with pytest.raises(ArmFailed, match="has no 'nothing'"):
        MESSAGE.edited(b"nothing", b"something")
