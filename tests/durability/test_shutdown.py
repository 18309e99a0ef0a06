"""Asked to stop, the server finishes what it accepted, takes nothing more, and signs the ledger's head."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import time
from dataclasses import replace

import pytest

from tests.attacks.wire import Reply, Wire, encode, encode_head, exchange
from tests.consortium import Message
from tests.durability.conftest import Start
from tests.durability.ledger import verified
from tests.durability.members import contributors
from tests.durability.writer import PATH, RECORDS, batch, read_all, sign
from tests.services.fixtures.secure_api_server import SecureApiServer

IN_FLIGHT = 12


def begin(wire: Wire, message: Message) -> None:
    """Send a message's head, and return when the application waits for the body."""
    wire.send(encode_head(replace(message, headers=(*message.headers, ("expect", "100-continue")))))
    wire.wait_for(b"100 Continue\r\n\r\n")


def stopping(server: SecureApiServer) -> int:
    """How many processes have begun to stop."""
    return sum(event["event"].startswith("Shutting down") for event in server.log("Shutting down"))


def finish(wire: Wire, message: Message) -> Reply:
    """Send the body and read the answer."""
    wire.send(message.body)
    return wire.receive("POST")


def test_requests_in_flight_are_finished(start: Start) -> None:
    server = start()
    key = contributors(server, 1)[0]
    messages = [sign(server, key, "POST", PATH, batch(number)) for number in range(IN_FLIGHT)]
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server.port)) for _ in messages]
        for wire, message in zip(wires, messages, strict=True):
            begin(wire, message)
        server.process.send_signal(signal.SIGTERM)
        while stopping(server) < 2:
            assert server.process.returncode is None, server.process.output()
            time.sleep(0.02)
        late = stack.enter_context(Wire(server.port))  # the kernel still takes it, on behalf of the supervisor
        late.send(encode(sign(server, key, "POST", PATH, batch(IN_FLIGHT))))
        replies = [finish(wire, message) for wire, message in zip(wires, messages, strict=True)]
        assert [(reply.status, reply.json) for reply in replies] == [(201, {"accepted": RECORDS})] * IN_FLIGHT
        assert server.process.wait() == 0, server.process.output()
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
            late.receive("POST")

    report = verified(server.url)
    assert report.unsigned == 0, "the head was not signed at shutdown"
    assert report.records == RECORDS * IN_FLIGHT
    assert len(read_all(start(), key)) == RECORDS * IN_FLIGHT


def test_a_stop_at_rest_leaves_nothing_behind(start: Start) -> None:
    server = start()
    key = contributors(server, 1)[0]
    assert verified(server.url).unsigned > 0
    assert exchange(server.port, sign(server, key, "POST", PATH, batch(0))).status == 201
    pids = server.worker_pids()
    assert server.process.terminate() == 0, server.process.output()
    assert verified(server.url).unsigned == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not [event for event in server.log() if event["level"] in {"error", "critical"}]
