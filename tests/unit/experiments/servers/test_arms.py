"""Every way to protect the route, on a server of its own: what it lets in, what it keeps out, what is read of it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from crypto.providers import oqs_library
from experiments import DefinitionError, Setting, Unavailable
from experiments.schemes import product_signatures
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection, Store
from experiments.servers.route import body
from tests.services.fixtures.requirement import unavailable
from tests.unit.experiments.servers.conftest import BRIEF, Prepare

PLAIN = Protection("none")
SIGNED = Protection("signature")
SESSION = Protection("session")
PROTECTIONS = {
    "plain": PLAIN,
    "ML-DSA-65": SIGNED,
    "Ed25519": Protection("signature", "ed25519"),
    "sealed by HPKE": Protection("signature", sealed=True),
    "session": SESSION,
    "sealed session": Protection("session", sealed=True),
    "X-Wing": Protection("handshake", "x-wing"),
    "ML-KEM-1024": Protection("handshake", "ml-kem-1024"),
    "http-message-signatures": Protection("http-message-signatures"),
    "PyJWT RS256": Protection("bearer", "RS256"),
    "PyJWT EdDSA, one token": Protection("bearer", "EdDSA", once=False),
}
BY_OQS = {
    "ML-DSA-65 by liboqs": Protection("signature", provider="oqs"),
    "http-message-signatures by liboqs": Protection("http-message-signatures", provider="oqs"),
}


def works(prepare: Prepare, protection: Protection) -> None:
    subject = prepare(protection)
    subject.check()
    assert subject.loops >= 16
    one, two = subject.measure(16), subject.measure(32)
    subject.check()
    for reading in (one, two):
        assert 10 < reading.cpu < 1e6
        assert 10 < reading.wall < 1e7
        extra = reading.extra
        assert extra["rate"] == pytest.approx(1e6 / reading.wall)
        assert 0 < extra["latency_p50"] <= extra["latency_p99"]
        assert extra["received_bytes"] > 100
        assert extra["generator_cpu"] > 1
        assert extra["waited"] >= 0
        assert 20e6 < extra["peak_memory_bytes"] < 1e9
    assert (one.loops, two.loops) == (16, 32)


@pytest.mark.parametrize("protection", PROTECTIONS.values(), ids=PROTECTIONS)
def test_keeps_the_bad_out_and_is_measured(prepare: Prepare, protection: Protection) -> None:
    works(prepare, protection)


@pytest.mark.oqs
@pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine")
@pytest.mark.parametrize("protection", BY_OQS.values(), ids=BY_OQS)
def test_keeps_the_bad_out_and_is_measured_with_liboqs(prepare: Prepare, protection: Protection) -> None:
    works(prepare, protection)


def test_what_a_signature_and_a_session_add_on_the_wire(prepare: Prepare) -> None:
    plain, signed, session, sealed = (
        prepare(one).measure(16).extra for one in (PLAIN, SIGNED, SESSION, Protection("session", sealed=True))
    )
    assert 4412 < signed["sent_bytes"] - plain["sent_bytes"] < 4412 + 500  # the signature as base64, and its fields
    assert 300 < session["sent_bytes"] - plain["sent_bytes"] < 500
    assert sealed["received_bytes"] > session["received_bytes"]


def test_arms_that_differ_in_size_share_a_server(prepare: Prepare) -> None:
    small, large = prepare(SIGNED, size=64), prepare(SIGNED, size=1 << 20)
    assert small._server is large._server
    large.check()
    assert large.loops == 16  # fewer where each takes long
    assert large.measure(16).extra["sent_bytes"] > 1 << 20
    assert prepare(SESSION)._server is not small._server
    assert (small.loops, prepare(SIGNED, least=320).loops) == (20, 320)


def test_a_shared_server_ends_with_its_last_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    def prepared(size: int) -> Setting:
        return Setting(BRIEF, tmp_path_factory.mktemp(str(size)), random.Random(1))

    protection = Protection("bearer", "EdDSA")
    first, second = (server_arm(protection, size=size)(prepared(size)) for size in (128, 256))
    first.check()
    process = first._server._process
    first.close()
    assert process.poll() is None
    second.check()
    second.close()
    process.wait()
    third = server_arm(protection, size=64)(prepared(64))
    third.check()
    third.close()


@pytest.mark.parametrize("store", ["redis", "postgresql", "memory"])
def test_nonces_are_spent_elsewhere(prepare: Prepare, store: Store) -> None:
    try:
        subject = prepare(Protection("session", store=store))
    except Unavailable as error:
        unavailable(store, str(error))
    subject.check()
    reading = subject.measure(16)
    subject.check()
    served = reading.extra["total_cpu"] - reading.cpu
    assert served == 0 if store == "memory" else served > 0


@pytest.mark.parametrize("size", [64, 65, 100, 1024, 1 << 20])
def test_bodies_have_the_size_that_is_asked_for(size: int) -> None:
    assert len(body(size)) == size


def test_servers_do_not_heed_the_environment(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_SIGNATURE_ALGORITHMS", "ml-dsa-87")
    monkeypatch.setenv("SECURE_API_HOME", "/nowhere")
    prepare(Protection("signature", "ml-dsa-44")).check()


@pytest.mark.parametrize(
    ("protection", "module"),
    [
        (Protection("bearer", "HS256"), "jwt"),
        (Protection("http-message-signatures", "ml-dsa-44"), "http_message_signatures"),
    ],
)
def test_a_peer_that_is_not_installed_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protection: Protection, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Unavailable, match=r"is not installed: it is in .*secure-api\[experiments\]"):
        server_arm(protection, size=99)(Setting(BRIEF, tmp_path, random.Random(1)))


def test_a_provider_that_is_not_here_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OQS_INSTALL_PATH", str(tmp_path))
    oqs_library.load.cache_clear()
    product_signatures._oqs_provider.cache_clear()
    try:
        with pytest.raises(Unavailable, match="liboqs is not there"):
            server_arm(Protection("signature", "ml-dsa-87", provider="oqs"))(Setting(BRIEF, tmp_path, random.Random(1)))
    finally:
        oqs_library.load.cache_clear()
        product_signatures._oqs_provider.cache_clear()


@pytest.mark.parametrize("kind", ["none", "handshake", "http-message-signatures", "bearer"])
def test_what_cannot_be_sealed_is_refused(kind: str) -> None:
    with pytest.raises(DefinitionError, match=f"protected by {kind} is not sealed"):
        Protection(kind, sealed=True)  # type: ignore[arg-type]


def test_a_protection_reads_what_it_wrote() -> None:
    for protection in PROTECTIONS.values():
        assert Protection.from_json(protection.to_json()) == protection
