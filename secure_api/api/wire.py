"""What every wire schema shares: unknown members are refused, instants are RFC 3339, names are plain."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from secure_api.domain.errors import Invalid
from secure_api.domain.instant import format_instant, parse_instant

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"


class Wire(BaseModel):
    """Base of every wire schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 date-time string")
    try:
        return parse_instant(value)
    except Invalid as error:
        raise ValueError(error.detail) from error


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T09:30:00Z"]}),
]
"""An RFC 3339 date-time; kept in UTC with microseconds."""

Name = Annotated[str, StringConstraints(strict=True, pattern=NAME_PATTERN)]
"""ASCII letters and digits, and behind the first one `_ . -` too; at most 63 characters."""
