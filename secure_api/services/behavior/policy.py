"""What a finding leads to: graded, and a block by rules or two independent keys alone."""

from typing import Final

from secure_api.domain.alerts import Action, Subject

#: A rank that one usual request in 3,000 reaches.
STRONG: Final = 3.5
#: Unusual requests in an episode before the model alone throttles or blocks.
LASTING: Final = 10


def action_for(
    subject: Subject, *, rule: bool, rank: float, requests: int, corroborated: bool, shared: bool, pardoned: bool
) -> Action:
    """Choose the action of an episode.

    Args:
        subject: whom the episode is about.
        rule: whether it broke a hard rule.
        rank: the highest rank in it.
        requests: unusual requests in it.
        corroborated: whether its network has an episode, too, that another client's requests opened. One client's
            requests make both its own key and its network's stand out: these two are not independent.
        shared: whether clients signed from the network, of late, who need have no part in it.
        pardoned: whether an admin called an alert about this client false, or its automation expected.
    """
    if subject is Subject.ROUTE:
        return Action.OBSERVE
    if subject is Subject.NETWORK:
        return Action.BLOCK if rule and not shared else Action.SIGN
    if pardoned:
        return Action.THROTTLE if rule else Action.OBSERVE
    if rule:
        return Action.BLOCK
    lasting = rank >= STRONG and requests >= LASTING
    if lasting and corroborated:
        return Action.BLOCK
    return Action.THROTTLE if lasting else Action.SIGN
