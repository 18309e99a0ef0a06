import copy
import pickle
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_api.domain.errors import Invalid
from secure_api.domain.frozen_json import FrozenObject
from secure_api.domain.strict_json import canonical

PAYLOAD = {"list": [1, {"deep": [{"deeper": "x"}]}], "object": {"n": None, "yes": True}}


def every_container(value: object) -> Iterator[Any]:
    if isinstance(value, FrozenObject):
        yield value
        for member in value.values():
            yield from every_container(member)
    elif isinstance(value, tuple):
        yield value
        for element in value:
            yield from every_container(element)


def test_every_level_refuses_every_change() -> None:
    frozen = FrozenObject(PAYLOAD)
    containers = list(every_container(frozen))
    assert len(containers) == 6
    for container in containers:
        assert type(container) in (FrozenObject, tuple)
        with pytest.raises(TypeError):
            container["list" if isinstance(container, FrozenObject) else 0] = 1
        with pytest.raises(TypeError):
            del container["list" if isinstance(container, FrozenObject) else 0]
        for method in ("append", "clear", "extend", "insert", "pop", "popitem", "setdefault", "sort", "update"):
            assert not hasattr(container, method)
    assert frozen.thaw() == PAYLOAD


def test_attributes_and_inner_mapping_refuse_changes() -> None:
    frozen = FrozenObject(PAYLOAD)
    with pytest.raises(TypeError):
        frozen._members = {}
    with pytest.raises(TypeError):
        del frozen._members
    with pytest.raises(TypeError):
        frozen.other = 1
    with pytest.raises(TypeError):
        frozen._members["list"] = 1  # type: ignore[index]
    assert not hasattr(frozen, "__dict__")
    assert frozen == PAYLOAD


def test_nothing_of_the_source_and_nothing_thawed_is_shared() -> None:
    source: Any = {"a": [1, {"b": 2}]}
    frozen = FrozenObject(source)
    source["a"].append(3)
    source["a"][1]["b"] = 9
    thawed: Any = frozen.thaw()
    thawed["a"].append(4)
    assert frozen == {"a": [1, {"b": 2}]}


def test_equality_is_that_of_json() -> None:
    frozen = FrozenObject({"a": 1, "b": [2.0]})
    assert frozen == FrozenObject({"b": [2], "a": 1.0})
    assert hash(frozen) == hash(FrozenObject({"b": (2,), "a": 1}))
    assert frozen == MappingProxyType({"a": 1, "b": [2]})
    assert frozen != FrozenObject({"a": True, "b": [2]})
    assert frozen != {"a": {1, 2}}
    assert frozen != 1
    assert len(frozen) == 2
    assert list(frozen) == ["a", "b"]
    assert frozen["b"] == (2,)
    assert repr(frozen) == "FrozenObject({'a': 1, 'b': [2]})"


def test_copies_and_pickles_are_equal() -> None:
    frozen = FrozenObject(PAYLOAD)
    assert copy.copy(frozen) is frozen
    assert copy.deepcopy(frozen) is frozen
    assert pickle.loads(pickle.dumps(frozen)) == frozen


CYCLE: dict[str, object] = {}
CYCLE["again"] = CYCLE
DEEP: dict[str, object] = {}
for _ in range(64):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    "members",
    [
        {1: 2},
        {"a": float("nan")},
        {"a": 2**53},
        {"a": 1e20},  # canonical JSON writes an integer that no reader would keep
        {"a": "\x00"},
        {"\ud800": 1},
        {"a": b"bytes"},
        {"a": {1, 2}},
        {"a": object()},
        CYCLE,
        DEEP,
    ],
    ids=lambda members: repr(members)[:24],
)
def test_what_could_not_be_read_back_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        FrozenObject(members)


safe = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | safe,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(safe, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(safe, values, max_size=5))
def test_thawing_gives_what_was_frozen(members: dict[str, Any]) -> None:
    frozen = FrozenObject(members)
    assert canonical(frozen.thaw()) == canonical(members)
    assert hash(frozen) == hash(FrozenObject(frozen))
