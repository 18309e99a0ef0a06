"""One signed message counts once: at every worker, after a restart, and however many copies race."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from tests.attacks import sql
from tests.attacks.forgery import joined
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.stage import dataset_body
from tests.attacks.wire import Reply, Wire, encode, encode_head
from tests.consortium import Message
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

SPENT = "replayed-or-revoked"
COPIES = 50


def writing(scene: Scene) -> Message:
    """A write that succeeds as often as it is believed."""
    return scene.sign(scene.victim, "POST", RECORDS, RECORD)


def records(scene: Scene) -> int:
    """How many records there are."""
    return scene.state().tables["records"].rows


def race(wires: list[Wire], message: Message) -> list[Reply]:
    """Send copies of one message over open connections, all at once."""
    barrier = Barrier(len(wires))

    def send(wire: Wire) -> Reply:
        barrier.wait()
        return wire.exchange(message)

    with ThreadPoolExecutor(len(wires)) as pool:
        return list(pool.map(send, wires))


def test_on_the_same_connection(scene: Scene) -> None:
    message = writing(scene)
    with Wire(scene.server.port) as wire:
        assert wire.exchange(message).status == 201
        before = scene.state()
        replies = [wire.exchange(message) for _ in range(3)]
    assert scene.state() == before
    for reply in replies:
        scene.assert_opaque(reply, SPENT)


def test_of_a_read(scene: Scene) -> None:
    """What a read shows is shown once."""
    message = scene.sign(scene.victim, "GET", RECORDS)
    scene.accept(message, 200)
    scene.disbelieve(message, SPENT)


def test_of_a_request_that_was_refused_for_its_content(scene: Scene) -> None:
    message = scene.sign(scene.rival, "POST", RECORDS, RECORD)
    scene.refuse(message, 404, "not-found", nonces=1)
    scene.disbelieve(message, SPENT)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="which worker holds a connection is asked of /proc")
def test_on_the_other_worker(scene: Scene) -> None:
    message = writing(scene)
    with Wire(scene.server.port) as first:
        assert first.exchange(message).status == 201
        taken = scene.server.worker_of(first.port)
        assert len(set(scene.server.worker_pids())) == 2
        before = scene.state()
        while True:
            with Wire(scene.server.port) as wire:
                if scene.server.worker_of(wire.port) == taken:
                    continue
                reply = wire.exchange(message)
            break
    assert scene.state() == before
    scene.assert_opaque(reply, SPENT)


@pytest.mark.parametrize("first", ["server", "other"])
def test_on_another_server(scene: Scene, first: str) -> None:
    servers = [scene.server, scene.other] if first == "server" else [scene.other, scene.server]
    message = writing(scene)
    scene.accept(message, server=servers[0])
    scene.disbelieve(message, SPENT, server=servers[1])


def test_fifty_copies_race_over_three_workers(scene: Scene) -> None:
    message, count = writing(scene), records(scene)
    wires = [Wire(server.port) for server in (scene.server, scene.other) for _ in range(COPIES // 2)]
    try:
        replies = race(wires, message)
    finally:
        for wire in wires:
            wire.close()
    assert sorted(reply.status for reply in replies) == [201] + [401] * (COPIES - 1)
    assert records(scene) == count + 1
    for reply in replies:
        if reply.status == 401:
            scene.assert_opaque(reply, SPENT)


def test_copies_in_one_packet(scene: Scene) -> None:
    """Pipelined: the second copy is read before the first one is answered."""
    message, count = writing(scene), records(scene)
    with Wire(scene.server.port) as wire:
        wire.send(encode(message) * 3)
        assert wire.statuses(3) == [201, 401, 401]
    assert records(scene) == count + 1


def test_one_nonce_for_two_messages(scene: Scene) -> None:
    forgery = scene.forge()
    scene.accept(forgery.message())
    scene.disbelieve(forgery.but(body=dataset_body()).message(), SPENT)


def test_a_nonce_belongs_to_its_key(scene: Scene) -> None:
    """Nobody can spend the nonces of others."""
    forgery = scene.forge()
    scene.accept(forgery.message())
    other = scene.forge(scene.classical).giving(nonce=forgery.parameters["nonce"])
    scene.accept(other.message())


def test_a_forgery_spends_no_nonce(scene: Scene) -> None:
    """A copy whose signature is spoilt comes first; the genuine message is still good."""
    forgery = scene.forge()
    genuine = forgery.message()
    scene.disbelieve(forgery.message(bytes(2_420)), "invalid-signature")
    scene.disbelieve(replace(genuine, body=dataset_body()), "digest-mismatch")
    scene.accept(genuine)


def test_a_hybrid_message_with_one_nonce_spent(scene: Scene) -> None:
    """All nonces of a message are spent, or none."""
    first, second = scene.forge_hybrid()
    scene.accept(joined(first.message(), second.message()))
    before = scene.state()
    fresh = first.giving(nonce='"a-nonce-never-seen"')
    reply = scene.send(joined(fresh.message(), second.message()))
    assert scene.state() == before
    scene.assert_opaque(reply, SPENT)


@pytest.fixture
def restartable(scene: Scene, run_process: ProcessRunner) -> SecureApiServer:
    """A third server on the same database, which a test may stop."""
    return start_secure_api(run_process, scene.other.home, scene.other.url)


@pytest.mark.parametrize("ending", ["terminate", "kill"])
def test_after_a_restart(scene: Scene, run_process: ProcessRunner, restartable: SecureApiServer, ending: str) -> None:
    message = scene.sign(scene.victim, "POST", RECORDS, RECORD, authority=restartable.authority)
    scene.accept(message, server=restartable)
    getattr(restartable.process, ending)()
    again = start_secure_api(run_process, scene.other.home, scene.other.url, port=restartable.port)
    before = scene.state()
    reply = scene.send(message, again)
    assert scene.state() == before
    assert (reply.status, again.refusal(scene.request_id(reply))) == (401, SPENT)


@pytest.fixture
def sweeping(scene: Scene, run_process: ProcessRunner) -> SecureApiServer:
    """A server that sweeps nonces every second, and takes no clock for slow."""
    environment = {"SECURE_API_NONCE_SWEEP_INTERVAL": "1", "SECURE_API_SIGNATURE_CLOCK_SKEW": "0"}
    return start_secure_api(run_process, scene.other.home, scene.other.url, env=environment)


def test_a_copy_that_began_in_time_and_ends_when_its_nonce_is_forgotten(
    scene: Scene, sweeping: SecureApiServer
) -> None:
    """The head comes while the message is good; the body waits until nothing remembers the message."""
    forgery = scene.forge(authority=sweeping.authority, target=RECORDS, body=RECORD).between(0, 6)
    message = forgery.message()
    scene.accept(message, server=sweeping)
    count = records(scene)
    with Wire(sweeping.port) as wire:
        wire.send(encode_head(replace(message, headers=(*message.headers, ("expect", "100-continue")))))
        wire.wait_for(b"100 Continue\r\n\r\n")  # the application asks for the body: it has opened the message
        time.sleep(int(forgery.parameters["expires"]) + 2.5 - time.time())  # a sweep or two come by
        nonce = forgery.parameters["nonce"].strip('"')
        assert sql.remembers_nonce(scene.server.url, forgery.key.keyid, nonce)
        sql.forget_nonces(scene.server.url)  # as a sweep long after would
        wire.send(message.body)
        reply = wire.receive("POST")
    assert (reply.status, sweeping.refusal(scene.request_id(reply))) == (401, "expired")
    assert records(scene) == count
