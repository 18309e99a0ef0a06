"""A saved state is read exactly, or refused with the reason."""

from __future__ import annotations

import hashlib
import hmac
import random
import struct
from array import array

import pytest

from anomaly.errors import StateCorrupt, StateError, StateForeign, StateUntrusted
from anomaly.persistence import MAGIC, dump, load
from anomaly.state import State, Value, take, take_array, take_row

KEY = b"k" * 32
STATE: State = {
    "none": None, "yes": True, "no": False, "int": -(1 << 62), "float": 0.1 + 0.2, "text": "ü", "bytes": b"\0\xff",
    "doubles": array("d", [1e-320, float("inf"), -0.0]), "floats": array("f", [0.5]), "list": [1, [2.5, "x"]],
    "inner": {"ints": array("q", [-1, 1 << 62]), "short": array("h", [-1]), "tags": array("I", [1 << 31])},
}  # fmt: skip


def sign(data: bytes) -> bytes:
    return hmac.digest(KEY, data, "sha256")


def verify(data: bytes, signature: bytes) -> None:
    if not hmac.compare_digest(sign(data), signature):
        raise PermissionError("forged")


def accept(data: bytes, signature: bytes) -> None:
    """A verifier that believes everything: what lies behind the signature must hold by itself."""


def header_and(body: bytes) -> bytes:
    whole = bytearray(dump({}, "watch", lambda _: b""))
    start = len(whole) - 5
    whole[start - 8 : start] = struct.pack("<Q", len(body))
    return bytes(whole[:start]) + body


def test_every_kind_of_value_comes_back_exactly() -> None:
    data = dump(STATE, "watch", sign)
    assert load(data, "watch", verify) == STATE
    assert dump(load(data, "watch", verify), "watch", sign) == data


def test_any_flipped_bit_is_noticed() -> None:
    data = dump(STATE, "watch", sign)
    rng = random.Random(1)
    for _ in range(300):
        broken = bytearray(data)
        broken[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with pytest.raises(StateError):
            load(bytes(broken), "watch", verify)


def test_any_truncation_is_noticed_even_by_a_verifier_that_believes_everything() -> None:
    data = dump(STATE, "watch", lambda _: b"")
    for length in range(len(data)):
        with pytest.raises(StateCorrupt):
            load(data[:length], "watch", accept)


def test_mutated_states_never_raise_anything_else() -> None:
    data = dump(STATE, "watch", lambda _: b"")
    rng = random.Random(2)
    for _ in range(2_000):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(66, len(data))] = rng.randrange(256)
        try:
            load(bytes(broken), "watch", accept)
        except StateError:
            continue


def test_a_foreign_state_says_what_is_foreign() -> None:
    data = dump(STATE, "watch", sign)
    with pytest.raises(StateForeign, match="no 'vectors'"):
        load(data, "vectors", verify)
    newer = MAGIC + (2).to_bytes(2, "little") + data[10:]
    with pytest.raises(StateForeign, match="version 2"):
        load(newer, "watch", verify)
    other = bytearray(data)
    other[42:58] = hashlib.sha256(b"other").hexdigest()[:16].encode()
    with pytest.raises(StateForeign, match="features"):
        load(bytes(other), "watch", accept)
    with pytest.raises(StateCorrupt, match="no saved"):
        load(b"\x80\x04pickled" * 20, "watch", verify)
    with pytest.raises(StateUntrusted):
        load(data[:-1] + b"x", "watch", verify)
    with pytest.raises(StateCorrupt, match="too large"):
        load(data + bytes(20_000), "watch", verify)


@pytest.mark.parametrize(
    "body",
    [
        b"M\xff\xff\xff\xff",
        b"M\x01\x00\x00\x00S\x01\x00\x00\x00aL\xff\xff\xff\xff",
        b"M\x01\x00\x00\x00S\x01\x00\x00\x00aAd\xff\xff\xff\xff",
        b"M\x01\x00\x00\x00S\x01\x00\x00\x00aAO\x01\x00\x00\x00aaaaaaaa",
        b"M\x01\x00\x00\x00S\x01\x00\x00\x00\xffN",
        b"M\x01\x00\x00\x00NN",
        b"M\x02\x00\x00\x00" + b"S\x01\x00\x00\x00aN" * 2,
        b"M\x01\x00\x00\x00S\x01\x00\x00\x00a" + b"L\x01\x00\x00\x00" * 100 + b"N",
        b"M\x00\x00\x00\x00N",
        b"L\x00\x00\x00\x00",
        b"?",
        b"",
    ],
)
def test_hostile_lengths_kinds_and_depths_are_refused(body: bytes) -> None:
    with pytest.raises(StateCorrupt):
        load(header_and(body), "watch", accept)


def test_what_the_format_has_no_room_for_is_not_written() -> None:
    deep: Value = []
    for _ in range(20):
        deep = [deep]
    for value in (1 << 70, deep, object()):
        with pytest.raises(StateCorrupt):
            dump({"x": value}, "watch", sign)  # type: ignore[dict-item]


def test_values_of_another_kind_are_refused_when_taken() -> None:
    state: State = {"a": 1, "b": array("d", [1.0])}
    assert take(state, "a", int) == 1
    for refuse in (
        lambda: take(state, "a", float),
        lambda: take(state, "c", int),
        lambda: take_array(state, "b", "f"),
        lambda: take_array(state, "b", "d", 2),
        lambda: take_row([1, "x"], (int, int)),
    ):
        with pytest.raises(StateCorrupt):
            refuse()
