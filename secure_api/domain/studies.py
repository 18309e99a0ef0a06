"""Studies: joint computations over contributions that nobody may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from secure_api.domain.json_value import JsonValue


class StudyMethod(StrEnum):
    """How a study computes over what it may not see."""

    CKKS = "ckks"
    MPC = "mpc"
    MASKED = "masked"


class StudyState(StrEnum):
    """Where a study is: open -> closed -> computing -> released, or aborted from any but released."""

    OPEN = "open"
    CLOSED = "closed"
    COMPUTING = "computing"
    RELEASED = "released"
    ABORTED = "aborted"


#: States that a study never leaves.
ENDED = frozenset({StudyState.RELEASED, StudyState.ABORTED})

#: The statistics of each method.
STATISTICS: Mapping[StudyMethod, frozenset[str]] = {
    StudyMethod.CKKS: frozenset({"sum", "mean", "variance", "weighted-mean", "histogram", "linear-score"}),
    StudyMethod.MPC: frozenset(
        {
            "sum",
            "mean",
            "variance",
            "histogram",
            "comparison-count",
            "max",
            "quantile",
            "weighted-mean",
            "linear-regression",
        }
    ),
    StudyMethod.MASKED: frozenset({"sum", "mean"}),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What every value of a contribution lies within, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Privacy:
    """The differential privacy that a study declares: (epsilon, delta), as rho-zCDP, for one contribution replaced.

    `sensitivity`: for what can move a contribution by so much (L2, in the units of the values), one person's data say.
    """

    epsilon: float
    delta: float
    sensitivity: float | None = None
    rho: float = 0.0


@dataclass(frozen=True, slots=True)
class StudyTerms:
    """What a study computes and under which conditions it is released; never changed after creation.

    `dimension` is the number of values of one contribution, as its owner counts them. Both minima must be met.
    `parameters` are the method's own.
    """

    method: StudyMethod
    statistic: str
    dimension: int
    bounds: Bounds
    minimum_contributors: int
    minimum_organizations: int
    deadline: datetime
    privacy: Privacy | None
    dataset: str | None
    parameters: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Participation:
    """How many take part: clients, and the organizations that they belong to."""

    clients: int
    organizations: int

    def enough_for(self, terms: StudyTerms) -> bool:
        """Tell whether both minima are met."""
        return self.clients >= terms.minimum_contributors and self.organizations >= terms.minimum_organizations


@dataclass(frozen=True, slots=True)
class Study:
    """One study as it stands; `reason` says why it was aborted."""

    id: str
    organization_id: str
    client_id: str
    name: str
    terms: StudyTerms
    state: StudyState
    reason: str | None
    created: datetime
    closed: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class StudyLimits:
    """What a server lets one study, and one organization, ask for."""

    min_contributors: int = 3  # of two, each would learn the other's contribution from the sum and their own
    max_invited: int = 1_000
    max_dimension: int = 1 << 22
    max_open: int = 100  # studies of one organization that have not ended
    max_days: int = 366  # from now to the deadline
    max_contexts: int = 20  # contexts of one organization
    max_context_bytes: int = 2 << 20
