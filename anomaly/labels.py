"""What analysts said of alerts, as an allowance on each client's own ranks."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

MAX_CLIENTS: Final = 4_096
"""Clients that labels are kept of; of more, those labeled last."""

_HIGHEST: Final = 3.0
_LOWEST: Final = -0.6


class Verdict(StrEnum):
    """What an alert turned out to be."""

    TRUE = "true"
    FALSE = "false"
    EXPECTED = "expected-automation"


class _Effect(NamedTuple):
    allowance: float
    limit: float
    lasts: float


_DAY: Final = 86_400.0
_EFFECTS: Final = MappingProxyType(
    {
        Verdict.TRUE: _Effect(-0.3, _LOWEST, 30 * _DAY),
        Verdict.FALSE: _Effect(0.5, 1.5, 7 * _DAY),
        Verdict.EXPECTED: _Effect(_HIGHEST, _HIGHEST, 30 * _DAY),
    }
)


class Labeled(NamedTuple):
    """One label: of which client (its pseudonym), what it says, and how many seconds old it is."""

    client: int
    verdict: Verdict
    age: float


class Labels:
    """Turns labels into one number a client, taken off its ranks before they count towards an episode.

    A false alarm is worth 0.5 (a rank of 3.0 then counts as 2.5), at most 1.5 altogether, and fades within 7 days;
    expected automation is worth 3.0, so that only what one request in 60,000 reaches still counts, for 30 days; a true
    alert makes the client's next one come a little earlier: 0.3, at most 0.6, for 30 days. However many labels there
    are, no client's ranks move by more than that, no other client's move at all, and the rules go on as ever.

    Args:
        labels: the newest first; of a client's, each kind counts up to its limit.
    """

    __slots__ = ("_allowances",)

    def __init__(self, labels: Iterable[Labeled] = ()) -> None:
        sums: dict[int, dict[Verdict, float]] = {}
        for client, verdict, age in labels:
            effect = _EFFECTS[verdict]
            left = 1.0 - max(0.0, age) / effect.lasts
            if left <= 0.0 or (client not in sums and len(sums) >= MAX_CLIENTS):
                continue
            worth = effect.allowance * left if verdict is Verdict.FALSE else effect.allowance
            of_client = sums.setdefault(client, {})
            total = of_client.get(verdict, 0.0) + worth
            of_client[verdict] = min(total, effect.limit) if worth > 0.0 else max(total, effect.limit)
        self._allowances: Mapping[int, float] = {
            client: max(_LOWEST, min(_HIGHEST, sum(of_client.values()))) for client, of_client in sums.items()
        }

    def __len__(self) -> int:
        return len(self._allowances)

    def allowance(self, client: int) -> float:
        """Return what is taken off the ranks of a client, between -0.6 and 3; O(1)."""
        return self._allowances.get(client, 0.0)
