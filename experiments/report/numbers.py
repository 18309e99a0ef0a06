"""Figures and names as text, for people: three significant digits, a unit of a handy size."""

from typing import Final

from experiments.statistics import digits

_STEPS: Final = {
    "us": ((1e6, "s"), (1e3, "ms"), (1.0, "µs")),
    "B": ((1024.0**2, "MiB"), (1.0, "B")),
}


def amount(value: float, unit: str) -> str:
    """Write a number in the handiest form of its unit: 1,240 us is `1.24 ms`. Units that are no words of ours stay."""
    if unit == "B" and value < 1024**2:
        return f"{value:,.0f} B"
    for least, name in _STEPS.get(unit, ()):
        if abs(value) >= least:
            return f"{digits(value / least)} {name}"
    shown = "µs" if unit == "us" else unit
    return f"{digits(value)} {shown}".rstrip()


def tick(value: float, unit: str) -> str:
    """Write a number at an axis, without digits that say nothing: `1 ms`, `250 µs`."""
    if value == 0:
        return "0"
    for least, name in _STEPS.get(unit, ()):
        if abs(value) >= least:
            return f"{value / least:,.6g} {name}"
    shown = "µs" if unit == "us" else unit
    return f"{value:,.6g} {shown}".rstrip()


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
    if name in {"cpu", "wall"}:
        return {"cpu": "CPU", "wall": "wall"}[name], "µs"
    if name == "bytes" or not in_bytes(name):
        timed = name.startswith("latency") or name.endswith(("cpu", "wall"))
        return words(name).replace("cpu", "CPU"), "µs" if timed else "B" if name == "bytes" else "% of time" * (
            name == "waited"
        )
    return words(name.removesuffix("_bytes")), "B"


def cell(name: str, value: float) -> str:
    """Write a value of a quantity for a column whose head names the unit."""
    if name == "waited":
        return f"{100 * value:.1f}"
    return f"{value:,.0f}" if in_bytes(name) else digits(value)
