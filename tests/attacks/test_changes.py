"""Genuine messages that somebody changed on the way."""

from __future__ import annotations

from dataclasses import replace

from tests.attacks.attack import Attack, each
from tests.attacks.forgery import digest_of
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.stage import dataset_body
from tests.consortium import Message

OTHER_RECORD = RECORD.replace(b"61", b"16")


def genuine(scene: Scene) -> Message:
    """A write of the victim."""
    return scene.sign(scene.victim, "POST", RECORDS, RECORD)


def reading(scene: Scene, target: str = RECORDS + "?limit=1&from=2026-01-01T00:00:00Z") -> Message:
    """A read of the victim."""
    return scene.sign(scene.victim, "GET", target)


def with_digest(message: Message, digest: str | None) -> Message:
    """Put another digest there."""
    return message.with_header("content-digest", digest)


ATTACKS = {
    "method changed": Attack("invalid-signature", lambda scene: replace(reading(scene), method="POST")),
    "method changed to one that no route has": Attack(
        "invalid-signature", lambda scene: replace(reading(scene), method="PURGE")
    ),
    "path changed": Attack("invalid-signature", lambda scene: replace(genuine(scene), target="/v1/datasets")),
    "dataset changed": Attack(
        "invalid-signature", lambda scene: replace(genuine(scene), target="/v1/datasets/other/records")
    ),
    "query added": Attack("invalid-signature", lambda scene: replace(genuine(scene), target=RECORDS + "?dry=no")),
    "query removed": Attack("invalid-signature", lambda scene: replace(reading(scene), target=RECORDS)),
    "query changed": Attack(
        "invalid-signature", lambda scene: replace(reading(scene, RECORDS + "?limit=1"), target=RECORDS + "?limit=9")
    ),
    "query in another order": Attack(
        "invalid-signature",
        lambda scene: replace(reading(scene), target=RECORDS + "?from=2026-01-01T00:00:00Z&limit=1"),
    ),
    "query parameter repeated": Attack(
        "invalid-signature",
        lambda scene: replace(reading(scene, RECORDS + "?limit=1"), target=RECORDS + "?limit=1&limit=1000"),
    ),
    "body changed": Attack("digest-mismatch", lambda scene: replace(genuine(scene), body=OTHER_RECORD)),
    "body changed together with its digest": Attack(
        "invalid-signature",
        lambda scene: with_digest(replace(genuine(scene), body=OTHER_RECORD), digest_of(OTHER_RECORD)),
    ),
    "body removed": Attack("digest-mismatch", lambda scene: replace(genuine(scene), body=b"")),
    "body added to a read": Attack("digest-mismatch", lambda scene: replace(reading(scene), body=b"{}")),
    "body with white space": Attack("digest-mismatch", lambda scene: replace(genuine(scene), body=RECORD + b"\n")),
    "content type changed": Attack(
        "invalid-signature", lambda scene: genuine(scene).with_header("content-type", "text/plain")
    ),
    "content type with a parameter more": Attack(
        "invalid-signature",
        lambda scene: genuine(scene).with_header("content-type", "application/json; charset=utf-8"),
    ),
    "content type removed": Attack("coverage", lambda scene: genuine(scene).with_header("content-type", None)),
    "content type empty": Attack("invalid-signature", lambda scene: genuine(scene).with_header("content-type", "")),
    "authority changed": Attack(
        "invalid-signature", lambda scene: genuine(scene).with_header("host", "api.example.org")
    ),
    "port of the authority changed": Attack(
        "invalid-signature", lambda scene: genuine(scene).with_header("host", "127.0.0.1")
    ),
    "digest missing": Attack("digest-missing", lambda scene: with_digest(genuine(scene), None)),
    "digest empty": Attack("malformed-field", lambda scene: with_digest(genuine(scene), "")),
    "digest unsigned algorithm swapped": Attack(
        "invalid-signature", lambda scene: with_digest(genuine(scene), digest_of(RECORD, "sha-512"))
    ),
    "digest of another body, signed": Attack(
        "digest-mismatch", lambda scene: scene.forge(digest=digest_of(dataset_body()))
    ),
    "digest of an unknown algorithm only, signed": Attack(
        "digest-missing", lambda scene: scene.forge(digest="blake3=:AAAA:")
    ),
    "digest of a broken algorithm only, signed": Attack(
        "digest-missing", lambda scene: scene.forge(body=RECORD, digest=digest_of(RECORD, "md5"))
    ),
    "one of two digests wrong, signed": Attack(
        "digest-mismatch",
        lambda scene: scene.forge(body=RECORD, digest=f"{digest_of(RECORD)}, {digest_of(OTHER_RECORD, 'sha-512')}"),
    ),
    "digest repeated, the last one right, signed": Attack(
        "duplicate-label",
        lambda scene: scene.forge(body=RECORD, digest=f"{digest_of(OTHER_RECORD)}, {digest_of(RECORD)}"),
    ),
    "digest truncated, signed": Attack(
        "digest-mismatch", lambda scene: scene.forge(body=RECORD, digest="sha-256=:AAAA:")
    ),
    "digest of no bytes, signed": Attack("digest-mismatch", lambda scene: scene.forge(digest="sha-256=::")),
    "digest algorithm in capitals, signed": Attack(
        "malformed-field", lambda scene: scene.forge(body=RECORD, digest=digest_of(RECORD).replace("sha", "SHA"))
    ),
    "digest with a parameter, signed": Attack(
        "malformed-field", lambda scene: scene.forge(body=RECORD, digest=digest_of(RECORD) + ";a")
    ),
    "signature of another request of the same client": Attack(
        "invalid-signature",
        lambda scene: genuine(scene).with_header("signature", genuine(scene).header("signature")),
    ),
    "nonce changed": Attack("invalid-signature", lambda scene: renewed(genuine(scene))),
    "life extended": Attack("invalid-signature", lambda scene: longer(genuine(scene))),
}


def renewed(message: Message) -> Message:
    """The message with a fresh nonce, which would let a copy through."""
    nonce = message.header("signature-input").partition(';nonce="')[2].partition('"')[0]
    return message.edited("signature-input", nonce, f"{nonce[:-1]}{'a' if nonce[-1] != 'a' else 'b'}")


def longer(message: Message) -> Message:
    """The message with 60 seconds more to live."""
    text = message.header("signature-input")
    expires = text.partition(";expires=")[2].partition(";")[0]
    return message.edited("signature-input", f";expires={expires}", f";expires={int(expires) + 60}")


@each(ATTACKS)
def test_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)
