"""An attack: how to make the message, and for which reasons it may be refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.attacks.forgery import Forgery
from tests.attacks.scene import Scene
from tests.consortium import Message

#: The message, or a request that only has to be signed.
Maker = Callable[[Scene], Message | Forgery]


class Attack:
    """A message that must not be believed, and the reasons for it that the log may give."""

    def __init__(self, reasons: str, make: Maker) -> None:
        self.reasons = tuple(reasons.split(" or "))
        self._make = make

    def message(self, scene: Scene) -> Message:
        """Make the message."""
        made = self._make(scene)
        return made.message() if isinstance(made, Forgery) else made


def each(attacks: Mapping[str, Attack]) -> pytest.MarkDecorator:
    """Run a test with every attack of a table, by its name."""
    return pytest.mark.parametrize("attack", [pytest.param(attack, id=name) for name, attack in attacks.items()])
