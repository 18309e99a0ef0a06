"""Where the time comes from. Passed in, so that tests and simulations own it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Give the machine's time as an aware UTC datetime."""
    return datetime.now(UTC)
