"""Alerts of behavior analysis: whom they are about, what was done, and what people said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from secure_api.domain.json_value import JsonValue


class BehaviorMode(StrEnum):
    """Whether requests are watched, and whether anything comes of it."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


class Subject(StrEnum):
    """Whom an alert is about."""

    CLIENT = "client"
    NETWORK = "network"
    ROUTE = "route"


class Action(StrEnum):
    """What is done about the next request, from the mildest to the gravest."""

    OBSERVE = "observe"
    SIGN = "sign"
    THROTTLE = "throttle"
    BLOCK = "block"


#: Actions by gravity.
GRAVITY: Mapping[Action, int] = MappingProxyType({action: place for place, action in enumerate(Action)})


#: Seconds that an action holds after the newest unusual request.
LASTS: Mapping[Action, int] = MappingProxyType(
    {Action.OBSERVE: 0, Action.SIGN: 600, Action.THROTTLE: 600, Action.BLOCK: 900}
)
LONGEST = max(LASTS.values())


class AlertState(StrEnum):
    """Whether somebody has said what an alert was."""

    OPEN = "open"
    LABELED = "labeled"


class AlertLabel(StrEnum):
    """What an alert turned out to be."""

    TRUE = "true"
    FALSE = "false"
    EXPECTED_AUTOMATION = "expected-automation"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a worker has to tell of an episode: a new alert, or the later fate of one.

    `key` is the client's id, or the pseudonym of a network or route. `organization_id` is None where no organization
    is known: the operator's has the alert then. `seen` counts the requests of the subject up to the alert, `requests`
    the unusual ones. `update` says that the alert was told before. `until` (POSIX seconds) ends the action.
    """

    id: str
    subject: Subject
    key: str
    organization_id: str | None
    opened: datetime
    last: datetime
    seen: int
    requests: int
    rank: float
    rule: str | None
    action: Action
    until: int
    reasons: tuple[Mapping[str, JsonValue], ...]
    routes: tuple[str, ...]
    text: str
    update: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as stored. `sequence` orders the alerts; `folded` counts later ones that were added to it."""

    sequence: int
    id: str
    organization_id: str
    subject: Subject
    key: str
    opened: datetime
    last: datetime
    seen: int
    requests: int
    folded: int
    rank: float
    rule: str | None
    action: Action
    reasons: list[dict[str, JsonValue]]
    routes: list[str]
    text: str
    label: AlertLabel | None
    note: str | None
    labeled: datetime | None
    labeled_by: str | None
    relabeled: int

    @property
    def state(self) -> AlertState:
        """Whether somebody has said what it was."""
        return AlertState.OPEN if self.label is None else AlertState.LABELED


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """How many alerts are kept of one subject, and of one kind in one organization; and how many begin in an hour."""

    per_subject: int = 20
    per_organization: int = 1_000
    per_hour: int = 60


@dataclass(frozen=True, slots=True)
class BehaviorTerms:
    """What the operator chose.

    Attributes:
        enforce: whether restrictions are put into force, or alerts only written down.
        clients: clients that one worker remembers.
        queue: finished requests that wait to be scored at most.
        save_interval: seconds between two snapshots of what was learned.
        warm_up: requests before the model may alert.
        limits: how many alerts are kept.
        reference_interval: seconds between two comparisons with the reference; 0: none.
    """

    enforce: bool
    clients: int
    queue: int
    save_interval: float
    warm_up: int
    limits: AlertLimits
    reference_interval: float = 0.0


@dataclass(frozen=True, slots=True)
class Restriction:
    """What is done about a client (by id) or a network (by pseudonym), until when (POSIX seconds)."""

    subject: Subject
    key: str
    organization_id: str
    action: Action
    until: int
    alert_id: str


@dataclass(frozen=True, slots=True)
class ClientLabel:
    """The label of an alert about a client, and when it was given."""

    client_id: str
    label: AlertLabel
    labeled: datetime
