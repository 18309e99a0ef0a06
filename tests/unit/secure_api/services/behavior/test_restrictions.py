"""What holds for whom, how long, and what it does to the next request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from secure_api.domain.alerts import Action, Restriction, Subject
from secure_api.domain.errors import AuthenticationFailed, FreshSignatureRequired, Throttled
from secure_api.services.behavior.policy import LASTING, STRONG, action_for
from secure_api.services.behavior.restrictions import BURST, MAX_HELD, Restrictions

NOW = 1_000.0
CLIENT = Restriction(Subject.CLIENT, "alice", "", Action.SIGN, 1_600, "1")
NETWORK = Restriction(Subject.NETWORK, "00ff", "", Action.BLOCK, 1_600, "2")


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def holding(*restrictions: Restriction, enforce: bool = True, ticks: Ticks | None = None) -> Restrictions:
    held = Restrictions(enforce=enforce, monotonic=ticks or Ticks())
    for restriction in restrictions:
        held.put(restriction, NOW)
    return held


def ask(held: Restrictions, now: float = NOW, *, in_session: bool = False, network: str | None = None) -> None:
    held.check_client("alice", now, network=network, in_session=in_session)


def test_a_session_is_not_enough_and_a_signature_is() -> None:
    held = holding(CLIENT)
    ask(held)
    with pytest.raises(FreshSignatureRequired):
        ask(held, in_session=True)
    ask(held, 1_600.0, in_session=True)  # over
    held.check_client("bob", NOW, network=None, in_session=True)


def test_a_throttled_client_has_a_burst_and_then_one_a_second() -> None:
    ticks = Ticks()
    held = holding(replace(CLIENT, action=Action.THROTTLE), ticks=ticks)
    for _ in range(int(BURST)):
        ask(held)
    for second in range(1, 4):
        with pytest.raises(Throttled):
            ask(held)
        ticks.now = float(second)
        ask(held)
    held.replace([replace(CLIENT, action=Action.THROTTLE, until=1_700)])  # prolonged: no new burst
    with pytest.raises(Throttled):
        ask(held)


def test_a_blocked_client_reads_what_a_stranger_reads() -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        ask(holding(replace(CLIENT, action=Action.BLOCK)))
    assert caught.value.reason == "blocked"
    assert str(caught.value) == AuthenticationFailed.default_detail


def test_a_blocked_network_lets_in_those_it_is_shared_with_when_they_sign() -> None:
    held = holding(NETWORK)
    with pytest.raises(AuthenticationFailed):
        held.check_network("00ff", NOW, shared=False)
    held.check_network("00ff", NOW, shared=True)
    held.check_network("00aa", NOW, shared=False)
    held.check_network("00ff", 1_600.0, shared=False)
    ask(held, network="00ff")
    with pytest.raises(FreshSignatureRequired):
        ask(held, network="00ff", in_session=True)
    ask(held, 1_600.0, network="00ff", in_session=True)


def test_nothing_is_refused_while_only_observing() -> None:
    held = holding(replace(CLIENT, action=Action.BLOCK), NETWORK, enforce=False)
    assert len(held) == 0
    ask(held, in_session=True, network="00ff")
    held.check_network("00ff", NOW, shared=False)


def test_a_milder_action_does_not_replace_a_graver_one_that_holds() -> None:
    held = holding(replace(CLIENT, action=Action.BLOCK), CLIENT)
    with pytest.raises(AuthenticationFailed):
        ask(held)
    held.put(CLIENT, 1_600.0)
    ask(held, 1_600.0)


def test_so_many_hold_at_a_time_the_newest() -> None:
    held = holding(*(replace(CLIENT, key=f"client-{number}") for number in range(MAX_HELD + 50)))
    assert len(held) == MAX_HELD
    held.check_client("client-49", NOW, network=None, in_session=True)
    with pytest.raises(FreshSignatureRequired):
        held.check_client("client-50", NOW, network=None, in_session=True)


def test_what_is_read_replaces_what_was_known() -> None:
    held = holding(replace(CLIENT, action=Action.BLOCK), NETWORK)
    assert len(held) == 2
    held.replace([replace(CLIENT, subject=Subject.ROUTE), replace(CLIENT, action=Action.OBSERVE)])
    assert len(held) == 0
    assert not held.any_network


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, Action.SIGN),
        ({"subject": Subject.ROUTE, "rule": True}, Action.OBSERVE),
        ({"subject": Subject.NETWORK}, Action.SIGN),
        ({"subject": Subject.NETWORK, "rule": True}, Action.BLOCK),
        ({"subject": Subject.NETWORK, "rule": True, "shared": True}, Action.SIGN),
        ({"rule": True}, Action.BLOCK),
        ({"rule": True, "pardoned": True}, Action.THROTTLE),
        ({"pardoned": True, "rank": STRONG, "requests": LASTING}, Action.OBSERVE),
        ({"rank": STRONG, "requests": LASTING}, Action.THROTTLE),
        ({"rank": STRONG, "requests": LASTING - 1}, Action.SIGN),
        ({"rank": 9.0, "requests": 999}, Action.THROTTLE),  # never a block on one key's word
        ({"rank": STRONG, "corroborated": True, "requests": LASTING}, Action.BLOCK),
    ],
)
def test_the_grades(changes: dict[str, object], action: Action) -> None:
    usual: dict[str, object] = {
        "subject": Subject.CLIENT, "rule": False, "rank": 2.7, "corroborated": False, "requests": 1,
        "shared": False, "pardoned": False,
    }  # fmt: skip
    given = usual | changes
    assert action_for(given.pop("subject"), **given) is action  # type: ignore[arg-type]
