"""A study's terms as the JSON text that its row keeps."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from secure_api.domain import strict_json
from secure_api.domain.instant import format_instant
from secure_api.domain.json_value import JsonValue
from secure_api.domain.studies import Bounds, Privacy, StudyMethod, StudyTerms


def write_terms(terms: StudyTerms) -> str:
    """Write terms as JSON; the deadline is a column of its own."""
    privacy: JsonValue = None
    if terms.privacy is not None:
        privacy = {**asdict(terms.privacy)}
    members: dict[str, JsonValue] = {
        "statistic": terms.statistic,
        "dimension": terms.dimension,
        "bounds": {"low": terms.bounds.low, "high": terms.bounds.high},
        "minimum_contributors": terms.minimum_contributors,
        "minimum_organizations": terms.minimum_organizations,
        "deadline": format_instant(terms.deadline),
        "privacy": privacy,
        "dataset": terms.dataset,
        "parameters": dict(terms.parameters),
    }
    return strict_json.dumps(members).decode()


def read_terms(method: str, text: str, deadline: datetime) -> StudyTerms:
    """Read what `write_terms` wrote."""
    members = cast("dict[str, Any]", strict_json.loads(text.encode()))
    privacy = members["privacy"]
    return StudyTerms(
        method=StudyMethod(method),
        statistic=members["statistic"],
        dimension=members["dimension"],
        bounds=Bounds(float(members["bounds"]["low"]), float(members["bounds"]["high"])),
        minimum_contributors=members["minimum_contributors"],
        minimum_organizations=members["minimum_organizations"],
        deadline=deadline,
        privacy=None if privacy is None else _privacy(privacy),
        dataset=members["dataset"],
        parameters=members["parameters"],
    )


def _privacy(members: dict[str, Any]) -> Privacy:
    sensitivity = members.get("sensitivity")
    return Privacy(
        float(members["epsilon"]),
        float(members["delta"]),
        None if sensitivity is None else float(sensitivity),
        float(members.get("rho", 0.0)),
    )
