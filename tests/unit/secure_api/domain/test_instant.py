from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_api.domain.errors import Invalid
from secure_api.domain.instant import as_utc, format_instant, parse_instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        # RFC 3339 §5.8
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520_000, UTC)),
        ("1996-12-19T16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, tzinfo=UTC)),
        ("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870_000, UTC)),
        ("2026-01-31t23:59:59z", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31T23:59:59-00:00", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31T23:59:59.000001+23:59", datetime(2026, 1, 31, 0, 0, 59, 1, UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_what_is_read(text: str, instant: datetime) -> None:
    parsed = parse_instant(text)
    assert parsed == instant
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "RFC 3339"),
        ("2026-01-31T23:59:59", "offset required"),
        ("2026-01-31 23:59:59Z", "RFC 3339"),
        ("2026-01-31", "RFC 3339"),
        ("2026-01-31T23:59Z", "RFC 3339"),
        ("2026-1-31T23:59:59Z", "RFC 3339"),
        ("+2026-01-31T23:59:59Z", "RFC 3339"),
        ("2026-01-31T23:59:59.Z", "RFC 3339"),
        ("2026-01-31T23:59:59,5Z", "RFC 3339"),
        ("2026-01-31T23:59:59Z\n", "RFC 3339"),
        ("2026-01-31T23:59:59+0000", "RFC 3339"),
        ("٢٠٢٦-01-31T23:59:59Z", "RFC 3339"),
        ("2026-01-31T23:59:59." + "0" * 1000 + "Z", "RFC 3339"),
        ("2026-01-31T23:59:59.1234567Z", "six fractional digits"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("2026-01-31T23:59:61Z", "no such date"),
        ("2026-01-31T24:00:00Z", "no such date"),
        ("2026-02-29T00:00:00Z", "no such date"),
        ("2026-13-01T00:00:00Z", "no such date"),
        ("0000-01-01T00:00:00Z", "no such date"),
        ("2026-01-31T23:59:59+24:00", "offset"),
        ("2026-01-31T23:59:59+00:60", "offset"),
        ("0001-01-01T00:00:00+00:01", "outside the years"),
        ("9999-12-31T23:59:59-00:01", "outside the years"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_instant(text)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00Z"),
        (datetime(2026, 1, 31, microsecond=500_000, tzinfo=UTC), "2026-01-31T00:00:00.5Z"),
        (datetime(2026, 1, 31, microsecond=1, tzinfo=UTC), "2026-01-31T00:00:00.000001Z"),
        (datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))), "2026-01-30T23:00:00Z"),
        (datetime(7, 1, 1, tzinfo=UTC), "0007-01-01T00:00:00Z"),
    ],
)
def test_what_is_written(instant: datetime, text: str) -> None:
    assert format_instant(instant) == text


def test_a_naive_datetime_is_no_instant() -> None:
    with pytest.raises(Invalid, match="time zone"):
        format_instant(datetime(2026, 1, 31))


def test_a_datetime_that_leaves_the_calendar_in_utc_is_no_instant() -> None:
    with pytest.raises(Invalid, match="outside the years"):
        as_utc(datetime.min.replace(tzinfo=timezone(timedelta(hours=1))))


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_back(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(st.text(alphabet="0123456789-+:.TtZz ", max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Invalid):
        assert parse_instant(text).utcoffset() == timedelta()
