"""Requests that claim to be within a session, and are not."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace

from crypto import SignatureAlgorithm
from tests.attacks.attack import Attack, each
from tests.attacks.forgery import digest_of, joined
from tests.attacks.handshake import Held, open_session
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.stage import dataset_body
from tests.consortium import Message, server_key

UNKNOWN, INVALID = "unknown-session", "invalid-signature"


def named(name: Callable[[Held], str]) -> Callable[[Scene], Message]:
    """A request within a session of the victim's, signed with its key, under another name."""

    def make(scene: Scene) -> Message:
        held = open_session(scene)
        return held.forge().giving(keyid=f'"{name(held)}"').message()

    return make


def keyed(key: Callable[[Scene, Held], bytes]) -> Callable[[Scene], Message]:
    """A request within a session of the victim's, its MAC made with another key."""

    def make(scene: Scene) -> Message:
        held = open_session(scene)
        forgery = held.forge()
        return forgery.message(hmac.digest(key(scene, held), forgery.base(), "sha256"))

    return make


def marked(change: Callable[[bytes], bytes]) -> Callable[[Scene], Message]:
    """A request within a session of the victim's, the bytes of its MAC changed."""

    def make(scene: Scene) -> Message:
        forgery = open_session(scene).forge()
        return forgery.message(change(forgery.signature()))

    return make


def given(**parameters: str) -> Callable[[Scene], Message]:
    """A request within a session of the victim's with other parameters, signed so."""
    return lambda scene: open_session(scene).forge().giving(**parameters).message()


def changed(change: Callable[[Message], Message], **options: str) -> Callable[[Scene], Message]:
    """A genuine request within a session of the victim's that somebody changed on the way."""
    return lambda scene: change(open_session(scene).message(**options))


def of_another(scene: Scene, other: str) -> Message:
    """A request under the name of the victim's session, signed within somebody else's."""
    held, theirs = open_session(scene), open_session(scene, getattr(scene, other))
    return theirs.forge().giving(keyid=f'"{held.id}"').message()


def moved(scene: Scene) -> Message:
    """A request with the MAC of another request within the same session."""
    held = open_session(scene)
    return held.forge().message(held.forge().signature())


def other_direction(scene: Scene) -> Message:
    """A request under the key by which the server signs its answers."""
    held = open_session(scene)
    forgery = held.forge()
    return forgery.message(held.keys.server_mac.sign(forgery.base()))


def name_for_a_key(scene: Scene) -> Message:
    """The long-term ML-DSA key signs, and the session's name stands beside it."""
    held = open_session(scene)
    return scene.forge().giving(keyid=f'"{held.id}"').message()


def mac_for_a_key(scene: Scene) -> Message:
    """The session's key signs, and the name of the victim's long-term key stands beside it."""
    held = open_session(scene)
    return held.forge().giving(keyid=f'"{scene.victim.key.keyid}"').message()


def public_key_as_mac_key(scene: Scene) -> Message:
    """The oldest trick with tokens: a public key, known to all, as the key of a MAC."""
    key = scene.victim.key
    forgery = scene.forge().giving(alg='"hmac-sha256"')
    return forgery.message(hmac.digest(key.public_key.raw, forgery.base(), "sha256"))


def renewed(message: Message) -> Message:
    """The message with a fresh nonce, which would let a copy through."""
    nonce = message.header("signature-input").partition(';nonce="')[2].partition('"')[0]
    return message.edited("signature-input", nonce, secrets.token_urlsafe(16))


NAMES = {
    "a session that nobody opened": Attack(UNKNOWN, named(lambda _: secrets.token_urlsafe(24))),
    "no name": Attack(UNKNOWN, named(lambda _: "")),
    "its name in other letters": Attack(UNKNOWN, named(lambda held: held.id.swapcase())),
    "its name cut": Attack(UNKNOWN, named(lambda held: held.id[:-1])),
    "its name with padding": Attack(UNKNOWN, named(lambda held: held.id + "=")),
    "its name with a space": Attack(UNKNOWN, named(lambda held: held.id + " ")),
    "its name as a wildcard": Attack(UNKNOWN, named(lambda held: "_" * 32)),
    "its name as SQL": Attack(UNKNOWN, named(lambda held: f"{held.id}' OR '1'='1")),
    "a name of two thousand characters": Attack(UNKNOWN, named(lambda held: held.id * 64)),
    "the name of a colleague's key": Attack(UNKNOWN, lambda scene: given(keyid=f'"{scene.analyst.key.keyid}"')(scene)),
    "the victim's session, signed within a colleague's": Attack(INVALID, lambda scene: of_another(scene, "analyst")),
    "the victim's session, signed within a rival's": Attack(INVALID, lambda scene: of_another(scene, "rival")),
    "the victim's session, signed within another one of its own": Attack(
        INVALID, lambda scene: of_another(scene, "victim")
    ),
}

KEYS = {
    "the other direction's key": Attack(INVALID, other_direction),
    "the key that seals requests": Attack(INVALID, keyed(lambda _, held: held.keys.client_aead)),
    "the key that seals answers": Attack(INVALID, keyed(lambda _, held: held.keys.server_aead)),
    "the key of the next rekey": Attack(INVALID, keyed(lambda _, held: held.keys.rekey)),
    "the secret itself": Attack(INVALID, keyed(lambda _, held: held.secret)),
    "zeros": Attack(INVALID, keyed(lambda *_: bytes(32))),
    "no key": Attack(INVALID, keyed(lambda *_: b"")),
    "the session's name": Attack(INVALID, keyed(lambda _, held: held.id.encode())),
    "the victim's public key": Attack(INVALID, keyed(lambda scene, _: scene.victim.key.public_key.raw)),
    "the server's public key": Attack(INVALID, keyed(lambda *_: server_key().public_key.raw)),
    "a public key, under its own name": Attack(UNKNOWN, public_key_as_mac_key),
    "another request's MAC": Attack(INVALID, moved),
    "a MAC cut to half": Attack(INVALID, marked(lambda mac: mac[:16])),
    "one byte of a MAC": Attack(INVALID, marked(lambda mac: mac[:1])),
    "an empty MAC": Attack(INVALID, marked(lambda _: b"")),
    "a MAC with a byte more": Attack(INVALID, marked(lambda mac: mac + b"\0")),
    "a MAC with a bit changed": Attack(INVALID, marked(lambda mac: bytes([mac[0] ^ 1]) + mac[1:])),
    "a MAC in hexadecimal": Attack(INVALID, marked(lambda mac: mac.hex().encode())),
    "zeros as a MAC": Attack(INVALID, marked(lambda mac: bytes(len(mac)))),
}

ALGORITHMS = {
    "a session's name, signed by the client's key": Attack("unknown-key", name_for_a_key),
    "a key's name, signed within the session": Attack(UNKNOWN, mac_for_a_key),
    **{
        f"{algorithm} said, hmac-sha256 done": Attack("unknown-key", given(alg=f'"{algorithm}"'))
        for algorithm in SignatureAlgorithm
    },
    **{
        f"{algorithm} for the algorithm": Attack("unsupported-algorithm", given(alg=f'"{algorithm}"'))
        for algorithm in ("hmac-sha512", "HMAC-SHA256", "HS256", "none", "")
    },
    "the algorithm as a token": Attack("malformed-field", given(alg="hmac-sha256")),
    "no algorithm": Attack("parameter-missing", lambda scene: open_session(scene).forge().lacking("alg").message()),
    "no name": Attack("parameter-missing", lambda scene: open_session(scene).forge().lacking("keyid").message()),
    "another tag": Attack("missing-signature", given(tag='"secure-api-session"')),
    "a parameter more": Attack("unknown-parameter", given(session='"yes"')),
    "the algorithm changed on the way": Attack(
        "unknown-key", changed(lambda message: message.edited("signature-input", "hmac-sha256", "ml-dsa-44"))
    ),
    "the algorithm of a signed request changed on the way": Attack(
        UNKNOWN, lambda scene: scene.forge().message().edited("signature-input", "ml-dsa-44", "hmac-sha256")
    ),
}


def beside(scene: Scene, *, first: str) -> Message:
    """Two signatures over one request of the victim: one of its key, one within its session."""
    by_key = scene.forge()
    within = open_session(scene).forge(body=by_key.body)
    pair = [by_key, within] if first == "key" else [within, by_key]
    return joined(*(forgery.but(label=f"sig{number}").message() for number, forgery in enumerate(pair, start=1)))


def within_two(scene: Scene, other: str) -> Message:
    """Two MACs over one request, within two sessions."""
    first = open_session(scene).forge()
    second = open_session(scene, getattr(scene, other)).forge(body=first.body, label="sig2")
    return joined(first.message(), second.message())


def twice_within(scene: Scene) -> Message:
    """Two MACs over one request within one session."""
    held = open_session(scene)
    first = held.forge()
    return joined(first.message(), held.forge(body=first.body, label="sig2").message())


def all_three(scene: Scene) -> Message:
    """Both signatures of a hybrid client, and a MAC within its session."""
    first, second = scene.forge_hybrid()
    third = open_session(scene, scene.hybrid).forge(body=first.body, label="sig3")
    return joined(first.message(), second.message(), third.message())


def half_within(scene: Scene) -> Message:
    """A hybrid client's session in the place of one of its keys."""
    first, _ = scene.forge_hybrid()
    second = open_session(scene, scene.hybrid).forge(body=first.body, label="sig2")
    return joined(first.message(), second.message())


NOT_ALLOWED = "session-not-allowed"

LABELS = {
    "a key's signature, and a MAC": Attack(NOT_ALLOWED, lambda scene: beside(scene, first="key")),
    "a MAC, and a key's signature": Attack(NOT_ALLOWED, lambda scene: beside(scene, first="session")),
    "MACs within two sessions of the victim": Attack(NOT_ALLOWED, lambda scene: within_two(scene, "victim")),
    "MACs within the victim's session and a colleague's": Attack(
        NOT_ALLOWED, lambda scene: within_two(scene, "analyst")
    ),
    "MACs within the victim's session and a rival's": Attack(NOT_ALLOWED, lambda scene: within_two(scene, "rival")),
    "two MACs within one session": Attack("duplicate-key", twice_within),
    "both keys of a hybrid client, and a MAC": Attack(NOT_ALLOWED, all_three),
    "one key of a hybrid client, and a MAC": Attack(NOT_ALLOWED, half_within),
}

CHANGES = {
    "method": Attack(INVALID, changed(lambda message: replace(message, method="PUT"))),
    "path": Attack(INVALID, changed(lambda message: replace(message, target="/v1/organizations"))),
    "query": Attack(INVALID, changed(lambda message: replace(message, target=message.target + "?limit=1"))),
    "authority": Attack(INVALID, changed(lambda message: message.with_header("host", "api.example.org"))),
    "content type": Attack(INVALID, changed(lambda message: message.with_header("content-type", "text/plain"))),
    "body": Attack("digest-mismatch", changed(lambda message: replace(message, body=dataset_body()))),
    "body and digest": Attack(
        INVALID,
        changed(lambda message: replace(message, body=RECORD).with_header("content-digest", digest_of(RECORD))),
    ),
    "nonce": Attack(INVALID, changed(renewed)),
    "label": Attack("missing-signature", changed(lambda message: message.edited("signature-input", "sig1=", "sig2="))),
    "expired": Attack("expired", lambda scene: open_session(scene).forge().between(-120, -60).message()),
    "from the future": Attack("not-yet-valid", lambda scene: open_session(scene).forge().between(60, 120).message()),
    "valid for too long": Attack(
        "window-too-long", lambda scene: open_session(scene).forge().between(0, 301).message()
    ),
    "a nonce too short": Attack("bad-nonce", given(nonce='"short"')),
    "a component less": Attack(
        "coverage", lambda scene: open_session(scene).message(components=("@method", "@authority", "@path", "@query"))
    ),
}


@each({**NAMES, **KEYS})
def test_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


@each(ALGORITHMS)
def test_an_algorithm_for_another_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


@each(LABELS)
def test_a_session_is_not_one_signer_among_others(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


@each(CHANGES)
def test_a_request_changed_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


def test_what_they_begin_with_is_believed(scene: Scene) -> None:
    held = open_session(scene)
    scene.accept(held.message())
    scene.accept(held.message(target=RECORDS, body=RECORD), server=scene.server)
    scene.accept(open_session(scene, scene.hybrid).message())
    assert held.id in [entry["id"] for entry in scene.ok(scene.victim, "GET", "/v1/sessions")["sessions"]]


def test_a_believed_request_within_a_session_spends_one_nonce_and_a_lease(scene: Scene) -> None:
    held = open_session(scene)
    before = scene.state()
    scene.accept(held.message(target=RECORDS, body=RECORD))
    after = scene.state()
    assert {name for name in after.tables if after.tables[name] != before.tables[name]} == {"records", "ledger_entries"}
    assert after.nonces.rows == before.nonces.rows + 1
    assert after.leases != before.leases


def test_the_reason_is_counted(scene: Scene) -> None:
    held = open_session(scene, server=scene.other)
    counted = refusals(scene, UNKNOWN)
    scene.disbelieve(held.forge().giving(keyid=f'"{secrets.token_urlsafe(24)}"').message(), UNKNOWN, server=scene.other)
    assert refusals(scene, UNKNOWN) == counted + 1


def refusals(scene: Scene, reason: str) -> int:
    """How many requests the server with one worker has refused for a reason."""
    metrics = Message("GET", "/metrics", (("host", scene.other.authority),), b"")
    lines = scene.send(metrics, scene.other).body.decode().splitlines()
    found = [line for line in lines if f'reason="{reason}"' in line and "_total{" in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in found)
