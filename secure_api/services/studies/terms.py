"""Which terms of a study make sense, whatever its method."""

import math
from datetime import datetime, timedelta

from secure_api.domain import strict_json
from secure_api.domain.errors import Invalid
from secure_api.domain.studies import STATISTICS, StudyLimits, StudyTerms

MAX_PARAMETERS = 16 << 10  # bytes of the method's parameters as JSON
MAX_EPSILON = 100.0
MAX_DELTA = 1e-3


def check_body(needed: int, limit: int, pointer: str) -> None:
    """Accept a study of which the longest message of a client has `needed` bytes, where a body may have `limit`.

    Raises:
        Invalid: it would be refused when it is sent.
    """
    if needed > limit:
        raise Invalid(
            f"A message of this study would have up to {needed} bytes, and a body may have {limit} here: its operator "
            "sets SECURE_API_MAX_BODY_BYTES.",
            pointer=pointer,
        )


def check_terms(terms: StudyTerms, limits: StudyLimits, now: datetime, invited: int) -> None:
    """Accept the terms of a study that invites so many organizations.

    Raises:
        Invalid: they make no sense, or go beyond what this server lets a study ask for; `pointer` names the member.
    """
    statistics = STATISTICS[terms.method]
    if terms.statistic not in statistics:
        raise Invalid(f"The method {terms.method.value} has {', '.join(sorted(statistics))}.", pointer="/statistic")
    if not 1 <= terms.dimension <= limits.max_dimension:
        raise Invalid(f"A contribution has 1 to {limits.max_dimension} values.", pointer="/dimension")
    low, high = terms.bounds.low, terms.bounds.high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise Invalid("The bounds are two finite numbers, the lower one first.", pointer="/bounds")
    if not 1 <= invited <= limits.max_invited:
        raise Invalid(f"A study invites 1 to {limits.max_invited} organizations.", pointer="/contributors")
    if terms.minimum_contributors < limits.min_contributors:
        raise Invalid(
            f"A study is released with {limits.min_contributors} contributors at least.",
            pointer="/minimum_contributors",
        )
    if not 1 <= terms.minimum_organizations <= min(invited, terms.minimum_contributors):
        raise Invalid(
            "The organizations needed are one at least, and no more than are invited or than contributors are needed.",
            pointer="/minimum_organizations",
        )
    if not now < terms.deadline <= now + timedelta(days=limits.max_days):
        raise Invalid(f"The deadline lies ahead, within {limits.max_days} days.", pointer="/deadline")
    privacy = terms.privacy
    if privacy is not None and not (0 < privacy.epsilon <= MAX_EPSILON and 0 < privacy.delta <= MAX_DELTA):
        raise Invalid(
            f"epsilon lies above 0 and up to {MAX_EPSILON:g}, delta above 0 and up to {MAX_DELTA:g}.",
            pointer="/privacy",
        )
    if privacy is not None and privacy.sensitivity is not None and not 0 < privacy.sensitivity < math.inf:
        raise Invalid("A sensitivity is a number above 0.", pointer="/privacy/sensitivity")
    if len(strict_json.dumps(dict(terms.parameters))) > MAX_PARAMETERS:
        raise Invalid(f"The parameters have {MAX_PARAMETERS} bytes at most.", pointer="/parameters")
