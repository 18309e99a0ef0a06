"""Figures as people read them: the decimals that their intervals allow, and units that fit."""

import math
from typing import Final, Protocol

_ROUNDS_UP: Final = 0.9995  # 999.6 us are 1.00 ms
_MOST_PLACES: Final = 12
_FINER: Final = 3  # decimals that a narrow interval may add to those of its value
_STEPS: Final = {"us": ((1e6, "s"), (1e3, "ms"), (1.0, "µs")), "B": ((2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))}


class Bounded(Protocol):
    """A value between two bounds."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def low(self) -> float:
        """The lower bound."""

    @property
    def high(self) -> float:
        """The upper bound."""


def figure(found: Bounded, unit: str) -> str:
    """Write a figure with its interval: `0.113 [0.110, 0.118]`, `107 µs [99, 132]`, `1.004 [1.002, 1.006]`.

    All three have the same decimals: as many as give the value three digits, but so that the interval's width has one
    or two. An interval too narrow for that is left out. Without a unit it may be a ratio: a bound that is not 1 is not
    written as 1.
    """
    divisor, name = 1.0, "µs" if unit == "us" else unit
    for least, step in _STEPS.get(unit, ()):
        if abs(found.value) >= least * _ROUNDS_UP:
            divisor, name = least, step
            break
    numbers = [number / divisor for number in (found.value, found.low, found.high)]
    places = _places_of(numbers[0], numbers[2] - numbers[1])
    if not unit:
        finer = range(places, _places(numbers[0]) + _FINER + 1)
        told = (more for more in finer if all(one == 1 or round(one, more) != 1 for one in numbers[1:]))
        places = next(told, places)
    value, low, high = (f"{number:z,.{places}f}" for number in numbers)
    behind = f" {name}" if name else ""
    return f"{value}{behind}" if value == low == high else f"{value}{behind} [{low}, {high}]"


def digits(number: float) -> str:
    """Write a number with three significant digits and no exponent."""
    return f"{number:z,.{_places(number)}f}"


def _places(number: float) -> int:
    """Decimals that give a number three significant digits, once it is rounded."""
    exponent = int(f"{number:.2e}".partition("e")[2])
    return 0 if number == 0 else min(max(0, 2 - exponent), _MOST_PLACES)


def _places_of(value: float, width: float) -> int:
    """Decimals of a value whose interval is so wide."""
    places = _places(value)
    if width <= 0:
        return places
    first = -math.floor(math.log10(width))  # the decimal of the width's first digit
    if first > places + _FINER:
        return places
    return min(max(0, min(max(places, first), first + 1)), _MOST_PLACES)
