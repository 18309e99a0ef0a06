"""Signature-Input and Signature that are no structured fields, or not in their one canonical form."""

from __future__ import annotations

from tests.attacks.attack import Attack, each
from tests.attacks.scene import Scene
from tests.consortium import Message

ATTACKS = {
    "not a dictionary": Attack(
        "malformed-field", lambda scene: scene.forge().message().with_header("signature-input", "nonsense")
    ),
    "empty": Attack("malformed-field", lambda scene: scene.forge().message().with_header("signature-input", "")),
    "missing": Attack("missing-signature", lambda scene: scene.forge().message().with_header("signature-input", None)),
    "signature missing": Attack(
        "missing-signature", lambda scene: scene.forge().message().with_header("signature", None)
    ),
    "signature empty": Attack("malformed-field", lambda scene: scene.forge().message().with_header("signature", "")),
    "list not closed": Attack("malformed-field", lambda scene: edited(scene, '"content-digest")', '"content-digest"')),
    "list closed twice": Attack(
        "malformed-field", lambda scene: edited(scene, '"content-digest")', '"content-digest"))')
    ),
    "string not closed": Attack(
        "malformed-field", lambda scene: edited(scene, ';tag="secure-api"', ';tag="secure-api')
    ),
    "two spaces between components": Attack("malformed-field", lambda scene: edited(scene, '" "@path', '"  "@path')),
    "no space between components": Attack("malformed-field", lambda scene: edited(scene, '" "@path', '""@path')),
    "space before a parameter": Attack("malformed-field", lambda scene: edited(scene, ";created", "; created")),
    "space around the equals sign": Attack("malformed-field", lambda scene: edited(scene, ";nonce=", ";nonce = ")),
    "parameter repeated": Attack("malformed-field", lambda scene: edited(scene, ";created", ";created=1;created")),
    "parameter in capitals": Attack("malformed-field", lambda scene: edited(scene, ";created", ";Created")),
    "number with a leading zero": Attack("malformed-field", lambda scene: edited(scene, ";created=", ";created=0")),
    "number with a plus": Attack("malformed-field", lambda scene: edited(scene, ";created=", ";created=+")),
    "trailing comma": Attack("malformed-field", lambda scene: edited(scene, ';tag="secure-api"', ';tag="secure-api",')),
    "a member more, of another type": Attack(
        "malformed-field", lambda scene: edited(scene, ';tag="secure-api"', ';tag="secure-api", other=1')
    ),
    "label in capitals": Attack("malformed-field", lambda scene: edited(scene, "sig1=", "Sig1=")),
    "no label": Attack("malformed-field", lambda scene: edited(scene, "sig1=", "")),
    "label starting with a digit": Attack("malformed-field", lambda scene: edited(scene, "sig1=", "1sig=")),
    "escaped where nothing needs it": Attack(
        "malformed-field", lambda scene: edited(scene, '"secure-api"', '"\\secure-api"')
    ),
    "not ASCII": Attack("malformed-field", lambda scene: edited(scene, '"secure-api"', '"secure-api\xe9"')),
    "a delimiter doubled": Attack("malformed-field", lambda scene: edited(scene, ";created", ";;created")),
    "nested lists": Attack("malformed-field", lambda scene: edited(scene, "sig1=(", "sig1=((")),
    "thousands of list openings": Attack(
        "malformed-field", lambda scene: edited(scene, "sig1=(", "sig1=" + "(" * 9_000)
    ),
    "thousands of backslashes": Attack(
        "malformed-field", lambda scene: edited(scene, '"secure-api"', '"' + "\\" * 9_001 + '"')
    ),
    "a label of thousands of characters": Attack(
        "missing-signature", lambda scene: edited(scene, "sig1=", "s" * 9_000 + "=")
    ),
}


def edited(scene: Scene, old: str, new: str) -> Message:
    """The victim's request with a part of its Signature-Input replaced."""
    return scene.forge().message().edited("signature-input", old, new)


@each(ATTACKS)
def test_malformed_fields_are_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)
