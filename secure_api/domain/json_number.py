"""JSON numbers that mean the same to every reader (RFC 7493 §2.2, RFC 8259 §6).

Integers keep to ±(2**53 - 1). Other numbers must survive binary64: the shortest text that names the same
float has to be the same decimal number as the one that was sent. An integer `-0` is 0; `-0.0` keeps its sign.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

#: The greatest integer that every reader of JSON keeps exact.
INTEGER_MAX = 2**53 - 1
#: A literal of so many characters without exponent surely survives binary64, which keeps every decimal of 15
#: significant digits (DBL_DIG). A longer one, or one with an exponent, is looked at closely.
SURELY_EXACT = 15
_EXPONENT = re.compile("[eE]")


class NumberRefused(ValueError):
    """A well-formed literal whose value cannot be kept. `reason` is a slug of `json_scanner`."""

    def __init__(self, reason: str, detail: str) -> None:
        """Take the slug and the sentence for the peer."""
        super().__init__(detail)
        self.reason = reason


def read_integer(literal: str) -> int:
    """Read a JSON integer.

    Raises:
        NumberRefused: beyond ±(2**53 - 1). The length is looked at first: `int` takes quadratic time.
    """
    if len(literal) <= 17:
        value = int(literal)
        if -INTEGER_MAX <= value <= INTEGER_MAX:
            return value
    raise NumberRefused("integer-out-of-range", "An integer lies between -(2**53 - 1) and 2**53 - 1.")


def read_float(literal: str) -> float:
    """Read a JSON number that has a fraction or an exponent.

    Raises:
        NumberRefused: beyond binary64, or not the decimal number that binary64 would make of it.
    """
    value = float(literal)
    if len(literal) <= SURELY_EXACT and "e" not in literal and "E" not in literal:
        return value
    text = repr(value)
    if text != literal:
        _compare(literal, value, text)
    return value


def _compare(literal: str, value: float, text: str) -> None:
    if math.isinf(value):
        raise NumberRefused("number-too-large", "The number is beyond binary64.")
    if value == 0.0:
        # Told by its digits: Decimal cannot hold every exponent.
        exact = not _EXPONENT.split(literal, maxsplit=1)[0].strip("-0.")
    else:
        exact = Decimal(literal) == Decimal(text)
    if not exact:
        raise NumberRefused("number-too-precise", "The number has more digits than binary64 keeps.")
