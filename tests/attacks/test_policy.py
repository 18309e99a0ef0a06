"""Servers that ask for more than a good signature: for kinds of algorithms, and for their own name."""

from __future__ import annotations

from crypto import PrivateKey
from tests.attacks.forgery import joined
from tests.attacks.scene import Scene
from tests.attacks.stage import Member, dataset_body, enrollment_body
from tests.consortium import Message
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

AUTHORITY = "api.example.org"


def writing(server: SecureApiServer, scene: Scene, member: Member) -> Message:
    """A write of a member to a server."""
    return scene.sign(member, "POST", "/v1/datasets", dataset_body(), authority=server.authority)


def start(scene: Scene, run: ProcessRunner, **settings: str) -> SecureApiServer:
    """Start another server on the same database, with settings of its own."""
    environment = {f"SECURE_API_{name.upper()}": value for name, value in settings.items()}
    return start_secure_api(run, scene.other.home, scene.other.url, env=environment)


def disbelieve(scene: Scene, server: SecureApiServer, message: Message, reason: str) -> None:
    """Send what that server must not believe."""
    before = scene.state()
    reply = scene.send(message, server)
    assert scene.state() == before
    assert (reply.status, server.refusal(scene.request_id(reply))) == (401, reason)


def test_one_kind_is_not_enough_for_a_hybrid_server(scene: Scene, run_process: ProcessRunner) -> None:
    server = start(scene, run_process, signature_policy="hybrid")
    for member in (scene.victim, scene.classical):
        disbelieve(scene, server, writing(server, scene, member), "policy")
        newcomer = [PrivateKey.generate(member.key.algorithm)]
        body = enrollment_body(scene.token("hospital", "contributor"), newcomer)
        message = scene.sign(Member("", newcomer), "POST", "/v1/clients", body, authority=server.authority)
        disbelieve(scene, server, message, "policy")
    scene.accept(writing(server, scene, scene.hybrid), server=server)


def test_classical_clients_are_not_believed_by_a_post_quantum_server(scene: Scene, run_process: ProcessRunner) -> None:
    server = start(scene, run_process, signature_policy="post-quantum", signature_algorithms="ml-dsa-44,ed25519")
    disbelieve(scene, server, writing(server, scene, scene.classical), "policy")
    disbelieve(scene, server, writing(server, scene, scene.operator), "algorithm-not-allowed")  # an ML-DSA-65 key
    scene.accept(writing(server, scene, scene.victim), server=server)
    scene.accept(writing(server, scene, scene.hybrid), server=server)


def test_messages_to_another_server_are_not_taken(scene: Scene, run_process: ProcessRunner) -> None:
    """A server that knows its names believes no message that was meant for another one, however well signed."""
    server = start(scene, run_process, authorities=AUTHORITY)
    for authority in (server.authority, "other.example.org", f"{AUTHORITY}:444", ""):
        forgery = scene.forge(authority=authority)
        disbelieve(scene, server, forgery.message(), "foreign-authority")
    message = scene.forge(authority=AUTHORITY).message()
    # RFC 9421 §2.2.3: the authority is signed in lower case.
    scene.accept(message.with_header("host", AUTHORITY.upper()), server=server)
    disbelieve(scene, server, message, "replayed-or-revoked")


def test_labels_of_a_hybrid_client_belong_to_one_request(scene: Scene) -> None:
    """Each signature is good, and stands under another body."""
    first, second = scene.forge_hybrid()
    other = second.but(body=dataset_body())
    scene.disbelieve(joined(first.message(), other.message()), "invalid-signature")
