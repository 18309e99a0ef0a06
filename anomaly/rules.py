"""What needs no model: facts that are wrong in themselves."""

from enum import StrEnum
from typing import Final

from anomaly.clients import ClientState
from anomaly.event import ApiEvent, Proof

FORGED: Final = 3
"""Bad signatures in a row, from one client or one unknown network, that make an alert."""
FOREIGN: Final = 8
"""Foreign or missing objects in a row, no own object in between, that make an alert."""


class Rule(StrEnum):
    """The rules, by the name that alerts show."""

    REPLAYED_NONCE = "replayed nonce"
    BAD_SIGNATURES = "bad signatures"
    FOREIGN_OBJECTS = "foreign objects"


def check(event: ApiEvent, who: ClientState) -> Rule | None:
    """Return the rule that the event breaks, given its client's state after it, or None. O(1).

    A replayed nonce and a bad signature do not prove that the client whose key is named did it: who replays or forges
    need not have its key. The service acts on the network then, not on the client.
    """
    if event.proof is Proof.REPLAYED:
        return Rule.REPLAYED_NONCE
    if who.forged >= FORGED:
        return Rule.BAD_SIGNATURES
    if event.object and who.streak >= FOREIGN:
        return Rule.FOREIGN_OBJECTS
    return None
