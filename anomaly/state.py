"""Values that a saved state is made of, and how they are read back with a check of kind and length."""

from array import array
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from anomaly.errors import StateCorrupt

Value: TypeAlias = (
    "bool | int | float | str | bytes | array[float] | array[int] | list[Value] | dict[str, Value] | None"
)
State: TypeAlias = dict[str, Value]

T = TypeVar("T")
M = TypeVar("M", bound=StrEnum)


def take(state: Mapping[str, Value], name: str, kind: type[T]) -> T:
    """Return `state[name]`, which must be exactly of `kind`.

    Raises:
        StateCorrupt: it is missing or something else.
    """
    value = state.get(name)
    if type(value) is not kind:
        raise StateCorrupt(f"The state's {name!r} is missing or no {kind.__name__}.")
    return value


def take_array(state: Mapping[str, Value], name: str, code: str, length: int | None = None) -> array:  # type: ignore[type-arg]  # of floats or of ints, as the code says
    """Return the array `state[name]`, of the type code and, unless None, of the length.

    Raises:
        StateCorrupt: it is missing or something else.
    """
    value = take(state, name, array)
    if value.typecode != code or (length is not None and len(value) != length):
        raise StateCorrupt(f"The state's array {name!r} has another type or length.")
    return value


def floats(values: Sequence[float]) -> "array[float]":
    """Return doubles to be saved."""
    return array("d", values)


def take_row(row: Value, kinds: tuple[type, ...]) -> Sequence[Any]:
    """Return `row`, which must be a list of exactly these kinds.

    Raises:
        StateCorrupt: it is something else.
    """
    if type(row) is not list or tuple(type(value) for value in row) != kinds:
        raise StateCorrupt("A row of the state has another shape.")
    return row


def take_member(kind: type[M], value: Value) -> M:
    """Return the member of an enumeration that a state names.

    Raises:
        StateCorrupt: there is none.
    """
    if isinstance(value, str) and value in {member.value for member in kind}:
        return kind(value)
    raise StateCorrupt(f"The state names no {kind.__name__}: {str(value)[:40]!r}.")
