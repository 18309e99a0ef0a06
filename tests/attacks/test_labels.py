"""Several signatures on one request: the hybrid client's, and those of attackers."""

from __future__ import annotations

from tests.attacks.attack import Attack, each
from tests.attacks.forgery import Forgery, joined
from tests.attacks.scene import Scene
from tests.consortium import Message


def both(scene: Scene) -> Message:
    """The hybrid member's request with its two signatures."""
    first, second = scene.forge_hybrid()
    return joined(first.message(), second.message())


def swapped(scene: Scene) -> Message:
    """The two signatures under each other's label."""
    first, second = scene.forge_hybrid()
    return joined(first.message(second.signature()), second.message(first.signature()))


def spoilt(scene: Scene, index: int) -> Message:
    """One of the two signatures over another message."""
    pair = scene.forge_hybrid()
    messages = [forgery.message() for forgery in pair]
    messages[index] = pair[index].message(pair[index].key.sign(b"another message"))
    return joined(*messages)


def beside(scene: Scene, other: Forgery) -> Message:
    """The victim's request with somebody else's signature beside the victim's."""
    ours = scene.forge()
    return joined(ours.message(), other.but(body=ours.body, label="sig2").message())


def crowd(scene: Scene, size: int) -> Message:
    """The victim's request with more labels than anybody needs."""
    ours = scene.forge()
    others = [ours.giving(tag='"some-proxy"').but(label=f"proxy{number}") for number in range(size - 1)]
    return joined(ours.message(), *(other.message() for other in others))


def twice(scene: Scene, name: str) -> Message:
    """A signature field whose line is there twice."""
    message = scene.forge().message()
    return Message(message.method, message.target, (*message.headers, (name, message.header(name))), message.body)


def without(message: Message, label: str, *names: str) -> Message:
    """The message with one label taken out of some fields."""
    for name in names:
        kept = [member for member in message.header(name).split(", ") if not member.startswith(f"{label}=")]
        message = message.with_header(name, ", ".join(kept))
    return message


def same_label(scene: Scene) -> Message:
    """Two signatures of the victim under one label: the last one is good."""
    first = scene.forge()
    return joined(first.giving(created="1").message(), first.message())


ATTACKS = {
    "hybrid client with ML-DSA only": Attack("signature-missing", lambda scene: scene.forge_hybrid()[0]),
    "hybrid client with Ed25519 only": Attack("signature-missing", lambda scene: scene.forge_hybrid()[1]),
    "hybrid client with a spoilt ML-DSA signature": Attack("invalid-signature", lambda scene: spoilt(scene, 0)),
    "hybrid client with a spoilt Ed25519 signature": Attack("invalid-signature", lambda scene: spoilt(scene, 1)),
    "hybrid client with its signatures swapped": Attack("invalid-signature", swapped),
    "hybrid client, first label stripped": Attack(
        "signature-missing", lambda scene: without(both(scene), "sig1", "signature", "signature-input")
    ),
    "hybrid client, second label stripped": Attack(
        "signature-missing", lambda scene: without(both(scene), "sig2", "signature", "signature-input")
    ),
    "hybrid client, one signature stripped": Attack(
        "missing-signature", lambda scene: without(both(scene), "sig2", "signature")
    ),
    "hybrid client, one input stripped": Attack(
        "missing-signature", lambda scene: without(both(scene), "sig1", "signature-input")
    ),
    "hybrid client, one signature under another tag": Attack(
        "signature-missing",
        lambda scene: joined(
            scene.forge_hybrid()[0].message(), scene.forge_hybrid()[1].giving(tag='"other"').message()
        ),
    ),
    "one label twice": Attack("duplicate-label", same_label),
    "Signature-Input line twice": Attack("duplicate-label", lambda scene: twice(scene, "signature-input")),
    "Signature line twice": Attack("duplicate-label", lambda scene: twice(scene, "signature")),
    "two labels of one key": Attack("duplicate-key", lambda scene: beside(scene, scene.forge())),
    "five labels": Attack("too-many-labels", lambda scene: crowd(scene, 5)),
    "two clients": Attack("several-clients", lambda scene: beside(scene, scene.forge(scene.rival))),
    "two colleagues": Attack("several-clients", lambda scene: beside(scene, scene.forge(scene.analyst))),
    "a client and a key that nobody knows": Attack(
        "unknown-key", lambda scene: beside(scene, scene.forge(scene.rival).giving(keyid=f'"{"B" * 43}"'))
    ),
    "a good signature and one without parameters": Attack(
        "parameter-missing", lambda scene: beside(scene, scene.forge(scene.analyst).lacking("created"))
    ),
    "a good signature and one without coverage": Attack(
        "coverage", lambda scene: beside(scene, scene.forge(scene.analyst, components=()))
    ),
    "an input without its signature": Attack(
        "missing-signature",
        lambda scene: without(beside(scene, scene.forge(scene.analyst)), "sig2", "signature"),
    ),
    "a signature without its input": Attack(
        "missing-signature",
        lambda scene: without(beside(scene, scene.forge(scene.analyst)), "sig2", "signature-input"),
    ),
}


@each(ATTACKS)
def test_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)


def test_four_labels_of_which_one_is_ours_are_read(scene: Scene) -> None:
    scene.accept(crowd(scene, 4))
