"""JSON that nobody can change: tuples for arrays, `FrozenObject` for objects, scalars as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias, Union, cast, final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from secure_api.domain import strict_json
from secure_api.domain.errors import Invalid
from secure_api.domain.json_value import JsonValue

FrozenJson: TypeAlias = Union[bool, int, float, str, "tuple[FrozenJson, ...]", "FrozenObject", None]


@final
class FrozenObject(Mapping[str, FrozenJson]):
    """An immutable JSON object, all the way down; hashable, equal to any mapping of the same JSON.

    It holds the *canonical reading* of what it is made from: what `strict_json.loads` reads from the RFC
    8785 form. So 1.0 becomes 1 and members stand in canonical order, and a payload is the same before and
    after the database, whoever wrote it.

    Raises:
        Invalid: the mapping is not JSON that `strict_json` reads back (depth, range, types, ...).
    """

    __slots__ = ("_hash", "_members")

    _members: Mapping[str, FrozenJson]
    _hash: int

    def __init__(self, members: Mapping[str, object]) -> None:
        """Copy the members; nothing of the argument is kept."""
        try:
            reading = strict_json.loads(strict_json.canonical(_plain(dict(members))))
        except (Invalid, RecursionError):
            raise Invalid("The object is not JSON that can be kept and read back unchanged.") from None
        _fill(self, cast(dict[str, JsonValue], reading))

    def thaw(self) -> dict[str, JsonValue]:
        """Give a new plain dict of lists and dicts; changing it changes nothing here."""
        return {name: _thaw(value) for name, value in self._members.items()}

    def __getitem__(self, name: str) -> FrozenJson:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenObject):
            # By text, since Python takes True for 1.
            return strict_json.canonical(self.thaw()) == strict_json.canonical(other.thaw())
        if isinstance(other, Mapping):
            try:
                return self == FrozenObject(other)
            except Invalid:
                return False
        return NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenObject({self.thaw()!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a FrozenObject cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise TypeError("a FrozenObject cannot be changed")

    def __copy__(self) -> FrozenObject:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenObject:
        return self

    def __reduce__(self) -> tuple[type[FrozenObject], tuple[dict[str, JsonValue]]]:
        return FrozenObject, (self.thaw(),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate from any mapping, and serialize as a plain dict."""
        return core_schema.chain_schema(
            [
                core_schema.union_schema(
                    [core_schema.is_instance_schema(cls), core_schema.dict_schema(core_schema.str_schema())]
                ),
                core_schema.no_info_plain_validator_function(_coerce),
            ],
            serialization=core_schema.plain_serializer_function_ser_schema(cls.thaw),
        )


def _coerce(value: Any) -> FrozenObject:
    return value if isinstance(value, FrozenObject) else FrozenObject(value)


def _plain(value: object) -> Any:
    """Copy mappings and sequences into dicts and lists; the JSON writer judges everything else."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(element) for element in value]
    return value


def _fill(frozen: FrozenObject, value: dict[str, JsonValue]) -> FrozenObject:
    members = {name: _freeze(member) for name, member in value.items()}
    object.__setattr__(frozen, "_members", MappingProxyType(members))
    object.__setattr__(frozen, "_hash", hash(tuple(members.items())))
    return frozen


def _freeze(value: JsonValue) -> FrozenJson:
    if isinstance(value, dict):
        return _fill(object.__new__(FrozenObject), value)
    if isinstance(value, list):
        return tuple(_freeze(element) for element in value)
    return value


def _thaw(value: FrozenJson) -> JsonValue:
    if isinstance(value, FrozenObject):
        return value.thaw()
    if isinstance(value, tuple):
        return [_thaw(element) for element in value]
    return value
