"""Signatures that are valid in themselves and cover too little, too much, or the same in disguise."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, each
from tests.attacks.forgery import COMPONENTS
from tests.attacks.scene import Scene

WITHOUT_QUERY = tuple(name for name in COMPONENTS if name != "@query")

ATTACKS = {
    "nothing covered": Attack("coverage", lambda scene: scene.forge(components=())),
    "only what changes nothing": Attack("coverage", lambda scene: scene.forge(components=("content-type",))),
    "an extra derived component": Attack("coverage", lambda scene: scene.forge(components=(*COMPONENTS, "@scheme"))),
    "an extra field": Attack(
        "coverage", lambda scene: scene.forge(components=(*COMPONENTS, "x-note"), fields=(("x-note", "a"),))
    ),
    "@request-target for @path and @query": Attack(
        "coverage", lambda scene: scene.forge(components=("@request-target", *COMPONENTS[:2], *COMPONENTS[4:]))
    ),
    "a component twice": Attack("coverage", lambda scene: scene.forge(components=(*COMPONENTS, "@method"))),
    "a component twice for a missing one": Attack(
        "coverage", lambda scene: scene.forge(components=(*WITHOUT_QUERY, "@method"))
    ),
    "a component of another message": Attack(
        "coverage", lambda scene: scene.forge(components=(*WITHOUT_QUERY, '"@query";req'))
    ),
    "a component as binary": Attack(
        "coverage", lambda scene: scene.forge(components=(*COMPONENTS[:5], '"content-digest";bs'))
    ),
    "one parameter of the query": Attack(
        "coverage", lambda scene: scene.forge(components=(*WITHOUT_QUERY, '"@query-param";name="a"'))
    ),
    "a component in capitals": Attack(
        "malformed-field or coverage", lambda scene: scene.forge(components=(*WITHOUT_QUERY, "@Query"))
    ),
    "a component that is no component": Attack(
        "malformed-field or coverage", lambda scene: scene.forge(components=(*WITHOUT_QUERY, '"@query\\"x"'))
    ),
    "a field that is not there": Attack("coverage", lambda scene: scene.forge(components=(*WITHOUT_QUERY, "x-absent"))),
}


@pytest.mark.parametrize("missing", COMPONENTS)
def test_a_missing_component_is_not_believed(scene: Scene, missing: str) -> None:
    covered = tuple(name for name in COMPONENTS if name != missing)
    scene.disbelieve(scene.forge(components=covered).message(), "coverage")


@each(ATTACKS)
def test_is_not_believed(scene: Scene, attack: Attack) -> None:
    scene.disbelieve(attack.message(scene), *attack.reasons)
