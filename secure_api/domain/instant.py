"""Instants on the wire: RFC 3339 `date-time`, strictly, to the microsecond.

Decisions where RFC 3339 leaves room:

- `T` and `Z` may be lower-case (§5.6: the grammar is case-insensitive); a space for `T` may not.
- An offset is required, `-00:00` included (§4.3: UTC is known, the local offset is not). `+24:00` is refused.
- More than six fractional digits are refused: Python, SQLite and PostgreSQL keep microseconds, and dropping a
  digit silently would store another instant than the one that was signed.
- A leap second (`:60`) is refused: neither Python nor PostgreSQL can keep it apart from the next second.
- The instant must fall in the years 0001 to 9999 *in UTC*.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from secure_api.domain.errors import Invalid

_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_LONGEST = 64  # characters; the longest instant that is accepted has 32


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 §5.6 `date-time` as an aware UTC datetime.

    Raises:
        Invalid: it is not one, or breaks a rule of this module's list.
    """
    match = _DATE_TIME.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise Invalid("An instant is written as in 2026-01-31T23:59:59.5Z (RFC 3339, offset required).")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    fraction = match[7] or ""
    if len(fraction) > 6:
        raise Invalid("An instant has at most six fractional digits.")
    if second == 60:
        raise Invalid("A leap second cannot be stored; write the second before or after it.")
    offset = timedelta()
    if match[8]:
        offset_hours, offset_minutes = int(match[9]), int(match[10])
        if offset_hours > 23 or offset_minutes > 59:
            raise Invalid("The offset of an instant lies between -23:59 and +23:59.")
        offset = timedelta(hours=offset_hours, minutes=offset_minutes) * (-1 if match[8] == "-" else 1)
    try:
        local = datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")), UTC)
        return local - offset
    except ValueError:
        raise Invalid("There is no such date or time of day.") from None
    except OverflowError:
        raise Invalid("The instant lies outside the years 0001 to 9999 in UTC.") from None


def format_instant(instant: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC: `Z`, and no more fractional digits than it needs.

    Raises:
        Invalid: the datetime is naive, or leaves the years 0001 to 9999 in UTC.
    """
    instant = as_utc(instant)
    text = instant.replace(microsecond=0, tzinfo=None).isoformat()
    if instant.microsecond:
        text += f".{instant.microsecond:06d}".rstrip("0")
    return text + "Z"


def as_utc(instant: datetime) -> datetime:
    """Give the same instant as a plain `datetime` in UTC.

    Raises:
        Invalid: the datetime is naive, or leaves the years 0001 to 9999 in UTC.
    """
    if instant.utcoffset() is None:
        raise Invalid("A datetime without a time zone is no instant.")
    try:
        utc = instant.astimezone(UTC)
    except OverflowError:
        raise Invalid("The instant lies outside the years 0001 to 9999 in UTC.") from None
    # A subclass could carry more than microseconds, or be mutable.
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC)
