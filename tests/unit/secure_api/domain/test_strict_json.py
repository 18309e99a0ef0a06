import json
import math
import struct
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_api.domain import strict_json
from secure_api.domain.errors import Invalid, JsonRejected
from secure_api.domain.json_scanner import scan
from secure_api.domain.strict_json import JsonValue, canonical, dumps, loads


def nested(levels: int) -> bytes:
    return b'{"a":[' * (levels // 2) + b"[" * (levels % 2) + b"]" * (levels % 2) + b"]}" * (levels // 2)


REFUSED = [
    # body, reason, pointer, line, column
    (b"", "empty", "", 1, 1),
    (b" \n ", "empty", "", 2, 2),
    (b"\xef\xbb\xbf{}", "byte-order-mark", "", 1, 1),
    (b'{"a": NaN}', "not-a-number", "/a", 1, 7),
    (b"[1, Infinity]", "not-a-number", "/1", 1, 5),
    (b"[-Infinity]", "not-a-number", "/0", 1, 2),
    (b'{"a":{"b":[0,1e400]}}', "number-too-large", "/a/b/1", 1, 14),
    (b"-1e400", "number-too-large", "", 1, 1),
    (b"1.0e99999999999999999999", "number-too-large", "", 1, 1),
    (b"[0.1234567890123456789]", "number-too-precise", "/0", 1, 2),
    (b"[9007199254740993.0]", "number-too-precise", "/0", 1, 2),
    (b"1e-400", "number-too-precise", "", 1, 1),
    (b"1e-99999999999999999999", "number-too-precise", "", 1, 1),
    (b"4.9e-324", "number-too-precise", "", 1, 1),
    (b'{"n": 9007199254740992}', "integer-out-of-range", "/n", 1, 7),
    (b"-9007199254740992", "integer-out-of-range", "", 1, 1),
    (b'{\n  "n": ' + b"7" * 5000 + b"\n}", "integer-out-of-range", "/n", 2, 8),
    (b'{"a": 1,\n "a": 2}', "duplicate-key", "/a", 2, 2),
    (b'[{"a": 1, "\\u0061": 2}]', "duplicate-key", "/0/a", 1, 11),
    (b'{"x/y~z": {"": NaN}}', "not-a-number", "/x~1y~0z/", 1, 16),
    (b'{"a": "\\ud800"}', "lone-surrogate", "/a", 1, 8),
    (b'{"a": "\\ud83dx"}', "lone-surrogate", "/a", 1, 8),
    (b'{"a": "\\ud83d\\u0041"}', "lone-surrogate", "/a", 1, 8),
    (b'{"a": "\\uDE00"}', "lone-surrogate", "/a", 1, 8),
    (b'{"a": "\\ud83d\\ude00\\ude00"}', "lone-surrogate", "/a", 1, 20),
    (b'{"a": "\\ud83d\\\\\\ude00"}', "lone-surrogate", "/a", 1, 8),
    (b'[{"\\udfff": 1}]', "lone-surrogate", "/0", 1, 4),
    (b'["\\u0000"]', "nul-character", "/0", 1, 3),
    (b'{"b":0,"\\\\\\u0000": 1}', "nul-character", "", 1, 11),
    (b'["\x00"]', "syntax", "/0", 1, 3),
    (b'["a\nb"]', "syntax", "/0", 1, 4),
    (b'{"\xc3\xa4": "\xff"}', "invalid-utf8", "/ä", 1, 8),
    (b'"\xed\xa0\x80"', "invalid-utf8", "", 1, 2),  # a surrogate in three bytes
    (b'"\xc0\xaf"', "invalid-utf8", "", 1, 2),  # overlong
    (b"[1]\xff", "invalid-utf8", "", 1, 4),
    (b"\xff\xfe[\x00]\x00", "invalid-utf8", "", 1, 1),  # UTF-16
    (nested(65), "too-deep", "/a/0" * 32, 1, 193),
    (b"[" * 1_000_000, "too-deep", "/0" * 64, 1, 65),
    (b'{"a":' * 1_000_000, "too-deep", "/a" * 64, 1, 321),
    (b"[1] 2", "trailing-text", "", 1, 5),
    (b"{}{}", "trailing-text", "", 1, 3),
    (b"01", "trailing-text", "", 1, 2),
    (b"[1.]", "syntax", "", 1, 3),
    (b"[1e]", "syntax", "", 1, 3),
    (b"[+1]", "syntax", "/0", 1, 2),
    (b"[.5]", "syntax", "/0", 1, 2),
    (b"[-]", "syntax", "/0", 1, 2),
    (b"[1,]", "syntax", "/1", 1, 4),
    (b"[1 2]", "syntax", "", 1, 4),
    (b"[1", "syntax", "", 1, 3),
    (b"[", "syntax", "/0", 1, 2),
    (b"{", "syntax", "", 1, 2),
    (b'{"a":1,}', "syntax", "", 1, 8),
    (b'{"a" 1}', "syntax", "/a", 1, 6),
    (b'{"a":}', "syntax", "/a", 1, 6),
    (b"{a:1}", "syntax", "", 1, 2),
    (b"{'a':1}", "syntax", "", 1, 2),
    (b"[1]]", "trailing-text", "", 1, 4),
    (b"[1}", "syntax", "", 1, 3),
    (b'["a', "syntax", "/0", 1, 4),
    (b'["\\', "syntax", "/0", 1, 3),
    (b'["\\x41"]', "syntax", "/0", 1, 3),
    (b'["\\u12"]', "syntax", "/0", 1, 3),
    (b'["\\u0x41"]', "syntax", "/0", 1, 3),
    (b"nul", "syntax", "", 1, 1),
    (b"True", "syntax", "", 1, 1),
    (b"\xc2\xa0[]", "syntax", "", 1, 1),  # a no-break space is not white space
    ("[١]".encode(), "syntax", "/0", 1, 2),
    (b"/* no */ 1", "syntax", "", 1, 1),
]


@pytest.mark.parametrize(
    ("body", "reason", "pointer", "line", "column"), REFUSED, ids=[repr(case[0][:28]) for case in REFUSED]
)
def test_refusals_name_the_place(body: bytes, reason: str, pointer: str, line: int, column: int) -> None:
    with pytest.raises(JsonRejected) as caught:
        loads(body)
    error = caught.value
    assert (error.reason, error.pointer, error.line, error.column) == (reason, pointer, line, column)
    assert f"line {line}, column {column}" in str(error)
    assert len(str(error)) < 200


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b" [1, 2.5, -0.0, true, false, null] ", [1, 2.5, -0.0, True, False, None]),
        (b'{"a": {"b": []}, "c": {}}', {"a": {"b": []}, "c": {}}),
        (b'"\\ud83d\\ude00 \\\\ud800 \\" \\/ \\b\\f\\n\\r\\t \\u00e4"', '😀 \\ud800 " / \b\f\n\r\t ä'),
        (b'"\\\\u0000"', "\\u0000"),
        ('"\uffff\U0001fffe"'.encode(), "\uffff\U0001fffe"),
        (b"9007199254740991", 2**53 - 1),
        (b"-9007199254740991", 1 - 2**53),
        (b"-0", 0),
        (b"0e99999999999999999999", 0.0),
        (b"1E5", 100000.0),
        (b"1e22", 1e22),
        (b"0.1000000000000000000000", 0.1),
        (b"0.8444218515250481", 0.8444218515250481),
        (b"1.7976931348623157e308", 1.7976931348623157e308),
        (b"5e-324", 5e-324),
        (
            b"[123456789012345,0.12345678901234,1.5,true,null,-0.0]",
            [123456789012345, 0.12345678901234, 1.5, True, None, -0.0],
        ),
        (b'{"a":1,"b":{"a":1}}', {"a": 1, "b": {"a": 1}}),
    ],
)
def test_what_is_accepted(body: bytes, value: JsonValue) -> None:
    for read in (loads(body), scan(body, 64)):
        assert repr(read) == repr(value)  # repr tells types and signs apart


def test_sixty_four_levels_are_accepted() -> None:
    assert dumps(loads(nested(64))) == nested(64)
    assert scan(nested(64), 64) == loads(nested(64))


@pytest.mark.parametrize(
    "decoy",
    [b'""', b'"["', b'"]"', b'"\\"["', b'"\\\\"', b'"\\\\\\"]"', b'"]","["', b'"a","b"', b"{}", b'{"]":"["}'],
)
def test_depth_is_not_fooled_by_strings(decoy: bytes) -> None:
    for levels in (62, 63, 64, 65):
        body = b"".join([b"[" + decoy + b","] * levels + [decoy] + [b"," + decoy + b"]"] * levels)
        assert verdict(loads, body) == verdict(scan_64, body)
        accepted = levels + decoy.count(b"{") <= 64
        assert (verdict(loads, body)[0] == "accepted") is accepted


def test_the_limit_can_be_lower() -> None:
    assert loads(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(JsonRejected) as caught:
        loads(b"[[[1]]]", max_depth=2)
    assert (caught.value.reason, caught.value.pointer) == ("too-deep", "/0/0")


def test_a_nearly_full_stack_changes_no_verdict() -> None:
    """The C scanner refuses to recurse near the interpreter's limit; the slow one does not recurse."""
    results: list[JsonValue] = []

    def descend(frames: int) -> None:
        if frames:
            descend(frames - 1)
        else:
            results.append(loads(nested(64)))

    def run() -> None:
        descend(920)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert results == [loads(nested(64))]


def scan_64(data: bytes) -> JsonValue:
    return scan(data, 64)


def verdict(read: Callable[[bytes], JsonValue], data: bytes) -> tuple[str, str]:
    try:
        return "accepted", repr(read(data))
    except JsonRejected as error:
        return error.reason, f"{error.pointer} {error.line}:{error.column}"


ATOMS = [
    "{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "d83d", "\\ude00", "\\ud83d", "\\u0000", "\\\\", '\\"', "0", "1",
    "-", ".", "e", "E+", "400", "9007199254740991", "9007199254740992", "0.1", "123456789012345678", "1e308", "NaN",
    "Infinity", "true", "null", " ", "\n", "\ufeff", "é", "😀", '"a"', '"a":', '"b":', "{}", "[]", "[[", "]]", "\x00",
    '{"a":1}', "-0.0", "1e-330",
]  # fmt: skip
json_like = st.lists(st.sampled_from(ATOMS), max_size=24).map("".join).map(str.encode)
dirty = st.tuples(json_like, st.binary(max_size=2), json_like).map(b"".join)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
)
names = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5), max_leaves=20
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Give a valid text, escaped in ASCII or not, with one piece replaced."""
    text = json.dumps(draw(values), ensure_ascii=draw(st.booleans())).encode()
    at = draw(st.integers(0, len(text)))
    piece: bytes = draw(st.sampled_from(ATOMS)).encode()
    return text[:at] + piece + text[at + draw(st.integers(0, 3)) :]


@settings(max_examples=1500, deadline=None)
@given(json_like | dirty | mutated() | st.binary(max_size=40))
def test_both_paths_agree_on_any_bytes(data: bytes) -> None:
    """`loads` falls back to the slow scanner, so an accepting fast path is what could disagree."""
    assert verdict(loads, data) == verdict(scan_64, data)


@settings(max_examples=600, deadline=None)
@given(json_like | mutated())
def test_the_fast_path_accepts_what_the_slow_one_does(data: bytes) -> None:
    asked: list[bytes] = []

    def watch(seen: bytes, max_depth: int) -> JsonValue:
        asked.append(seen)
        return scan(seen, max_depth)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "scan", watch)
        outcome = verdict(loads, data)
    assert (outcome[0] == "accepted") is (not asked)


@settings(deadline=None)
@given(values)
def test_what_is_written_is_read_back_with_its_types(value: JsonValue) -> None:
    again = loads(dumps(value))
    assert repr(again) == repr(value)
    assert repr(scan_64(dumps(value))) == repr(value)


@settings(deadline=None)
@given(json_like | mutated())
def test_what_was_accepted_is_stored_and_read_back_unchanged(data: bytes) -> None:
    try:
        value = loads(data)
    except JsonRejected:
        return
    assert repr(loads(dumps(value))) == repr(value)


def test_negative_zero_keeps_its_sign() -> None:
    zero = loads(dumps(loads(b"-0.0")))
    assert isinstance(zero, float)
    assert math.copysign(1, zero) == -1


CYCLE: list[JsonValue] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {"a": {1, 2}}, CYCLE, b"bytes"], ids=repr)
def test_what_is_no_json_value_is_neither_written_nor_hashed(value: JsonValue) -> None:
    with pytest.raises(Invalid):
        dumps(value)
    with pytest.raises(Invalid):
        canonical(value)


@pytest.mark.parametrize("value", [2**53, {1: 2}, {"\ud800": 1}], ids=repr)
def test_what_has_no_canonical_form(value: JsonValue) -> None:
    with pytest.raises(Invalid):
        canonical(value)


def test_dumps_is_compact_utf8_in_order() -> None:
    assert dumps({"b": [1, 2.0, "é😀"], "a": None}) == '{"b":[1,2.0,"é😀"],"a":null}'.encode()


def test_canonical_form_of_rfc_8785() -> None:
    """The examples of RFC 8785 §3.2.2 and §3.2.3."""
    numbers: list[JsonValue] = [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001]
    value: JsonValue = {"numbers": numbers, "string": '€$\x0f\nA\'B"\\\\"/', "literals": [None, True, False]}
    assert (
        canonical(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = json.loads(canonical(dict.fromkeys(keys, 0)))
    assert list(ordered) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


# RFC 8785, Appendix B
@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_canonical_numbers(bits: str, text: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]) == text.encode()
