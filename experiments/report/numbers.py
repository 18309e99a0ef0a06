"""Figures and names as text, for people: three significant digits, a unit of a handy size."""

import re
from typing import Final

from experiments.digits import digits

_TIMED: Final = re.compile(r"(cpu|wall|latency|delay)(_p\d+)?$")
_STEPS: Final = {
    "us": ((1e6, "s"), (1e3, "ms"), (1.0, "µs")),
    "B": ((1024.0**2, "MiB"), (1.0, "B")),
}


def amount(value: float, unit: str) -> str:
    """Write a number in the handiest form of its unit: 1,240 us is `1.24 ms`. Units that are no words of ours stay."""
    if unit == "B" and value < 1024**2:
        return f"{value:,.0f} B"
    divisor, name = _handy(value, unit)
    return digits(value / divisor) + name


def tick(value: float, unit: str) -> str:
    """Write a number at an axis, without digits that say nothing: `1 ms`, `250 µs`, `30k/s`."""
    if value == 0:
        return "0"
    divisor, name = _handy(value, unit)
    value /= divisor
    for least, thousand, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least and unit != "B":
            return f"{value / thousand:,.6g}{letter}{name}"
    return f"{value:,.6g}{name}"


def _handy(value: float, unit: str) -> tuple[float, str]:
    """Choose what to divide by, and what to write behind the number."""
    for least, name in _STEPS.get(unit, ()):
        if abs(value) >= least:
            return least, f" {name}"
    return 1.0, {"us": " µs", "1/s": "/s", "/s": "/s", "": ""}.get(unit, f" {unit}")


def factor(name: str, value: str | int) -> str:
    """Write a factor's value; a number of bytes as `64 B`, `16 KiB`, `1 MiB`, another number plain."""
    if isinstance(value, str):
        return value
    if not in_bytes(name):
        return f"{value:,}"
    for least, unit in ((1024**2, "MiB"), (1024, "KiB")):
        if value >= least and value % least == 0:
            return f"{value // least} {unit}"
    return f"{value:,} B"


def named(name: str, value: str | int) -> str:
    """Name a factor's value; a number alone says nothing, unless it is of bytes."""
    return value if isinstance(value, str) else factor(name, value) if in_bytes(name) else f"{words(name)} {value:,}"


def in_bytes(name: str) -> bool:
    """Tell whether a factor or a quantity counts bytes, by its name."""
    return name in {"bytes", "body", "size"} or name.endswith(("_bytes", "-bytes", " bytes"))


def words(name: str) -> str:
    """Make words of a name in code: `public_key_bytes` is `public key bytes`."""
    return name.replace("_", " ").replace("-", " ")


def quantity(name: str) -> tuple[str, str]:
    """Name a quantity and its unit for the head of a column: `public_key_bytes` is a public key, in B."""
    if in_bytes(name):
        return words(name.removesuffix("_bytes")), "B"
    unit = "µs" if _TIMED.search(name) else {"waited": "% of the time"}.get(name, "")
    return words(name).replace("cpu", "CPU"), unit


def cell(name: str, value: float) -> str:
    """Write a value of a quantity for a column whose head names the unit."""
    if name == "waited":
        return f"{100 * value:.1f}"
    return f"{value:,.0f}" if in_bytes(name) else digits(value)
