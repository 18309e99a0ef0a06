"""Signatures that are valid in themselves, with parameters that the profile does not allow."""

from __future__ import annotations

import hmac
from hashlib import sha256

from tests.attacks.attack import Attack, each
from tests.attacks.scene import Scene
from tests.consortium import Message

NEVER_ENROLLED = '"' + "A" * 43 + '"'


def hmac_with_the_public_key(scene: Scene) -> Message:
    """What a verifier falls for that takes the algorithm from the message and the key for a secret."""
    forgery = scene.forge().giving(alg='"hmac-sha256"')
    return forgery.message(hmac.digest(scene.victim.key.public_key.raw, forgery.base(), sha256))


ATTACKS = {
    "expired": Attack("expired", lambda scene: scene.forge().between(-120, -60)),
    "expired by a second more than the skew": Attack("expired", lambda scene: scene.forge().between(-60, -6)),
    "from the future": Attack("not-yet-valid", lambda scene: scene.forge().between(120, 180)),
    "window too long": Attack("window-too-long", lambda scene: scene.forge().between(0, 301)),
    "window without end": Attack("window-too-long", lambda scene: scene.forge().giving(expires="9" * 15)),
    "expires when created": Attack("expired", lambda scene: scene.forge().between(0, 0)),
    "expires before created": Attack("expired", lambda scene: scene.forge().between(2, 1)),
    "created before the epoch": Attack("window-too-long", lambda scene: scene.forge().giving(created="-1")),
    "created has 16 digits": Attack("malformed-field", lambda scene: scene.forge().giving(created="1" * 16)),
    "created is a string": Attack("malformed-field", lambda scene: scene.forge().giving(created='"1"')),
    "created is a decimal": Attack("malformed-field", lambda scene: scene.forge().giving(created="1.0")),
    "created missing": Attack("parameter-missing", lambda scene: scene.forge().lacking("created")),
    "expires missing": Attack("parameter-missing", lambda scene: scene.forge().lacking("expires")),
    "nonce missing": Attack("parameter-missing", lambda scene: scene.forge().lacking("nonce")),
    "keyid missing": Attack("parameter-missing", lambda scene: scene.forge().lacking("keyid")),
    "alg missing": Attack("parameter-missing", lambda scene: scene.forge().lacking("alg")),
    "tag missing": Attack("missing-signature", lambda scene: scene.forge().lacking("tag")),
    "no parameters": Attack(
        "missing-signature",
        lambda scene: scene.forge().lacking("created", "expires", "nonce", "keyid", "alg", "tag"),
    ),
    "other tag": Attack("missing-signature", lambda scene: scene.forge().giving(tag='"web-bot-auth"')),
    "tag in capitals": Attack("missing-signature", lambda scene: scene.forge().giving(tag='"Secure-API"')),
    "tag is a token": Attack("malformed-field", lambda scene: scene.forge().giving(tag="secure-api")),
    "nonce empty": Attack("bad-nonce", lambda scene: scene.forge().giving(nonce='""')),
    "nonce of 7 characters": Attack("bad-nonce", lambda scene: scene.forge().giving(nonce='"1234567"')),
    "nonce of 129 characters": Attack("bad-nonce", lambda scene: scene.forge().giving(nonce=f'"{"n" * 129}"')),
    "unknown parameter": Attack("unknown-parameter", lambda scene: scene.forge().giving(realm='"any"')),
    "alg none": Attack("unsupported-algorithm", lambda scene: scene.forge().giving(alg='"none"')),
    "alg hmac-sha256 with the public key": Attack("unknown-session", hmac_with_the_public_key),
    "alg unknown": Attack("unsupported-algorithm", lambda scene: scene.forge().giving(alg='"slh-dsa-sha2-128s"')),
    "alg in capitals": Attack("unsupported-algorithm", lambda scene: scene.forge().giving(alg='"ML-DSA-44"')),
    "alg of another key type": Attack("algorithm-mismatch", lambda scene: scene.forge().giving(alg='"ed25519"')),
    "alg of a stronger parameter set": Attack(
        "algorithm-mismatch", lambda scene: scene.forge().giving(alg='"ml-dsa-87"')
    ),
    "alg ml-dsa-44 with a key of ed25519": Attack(
        "algorithm-mismatch", lambda scene: scene.forge(scene.classical).giving(alg='"ml-dsa-44"')
    ),
    "keyid of a key never enrolled": Attack("unknown-key", lambda scene: scene.forge().giving(keyid=NEVER_ENROLLED)),
    "keyid empty": Attack("unknown-key", lambda scene: scene.forge().giving(keyid='""')),
    "keyid with SQL in it": Attack("unknown-key", lambda scene: scene.forge().giving(keyid='"\' OR 1=1 --"')),
    "keyid of the operator": Attack(
        "algorithm-mismatch", lambda scene: scene.forge().giving(keyid=f'"{scene.operator.key.keyid}"')
    ),
    "keyid of a colleague": Attack(
        "invalid-signature", lambda scene: scene.forge().giving(keyid=f'"{scene.analyst.key.keyid}"')
    ),
    "keyid of the server": Attack("unknown-key", lambda scene: scene.forge().giving(keyid=server_keyid(scene))),
}


def server_keyid(scene: Scene) -> str:
    """The keyid of the key that signs the ledger: it is public, and no client's."""
    discovery = scene.send(Message("GET", "/.well-known/secure-api", (("host", scene.server.authority),), b""))
    return f'"{discovery.json["keys"][0]["kid"]}"'


@each(ATTACKS)
def test_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)
