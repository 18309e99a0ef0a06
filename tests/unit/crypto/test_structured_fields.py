from __future__ import annotations

import pytest

from crypto import FieldSyntaxError
from crypto.structured_fields import (
    MAX_FIELD_BYTES,
    MAX_ITEMS,
    MAX_MEMBERS,
    MAX_PARAMETERS,
    BareItem,
    InnerList,
    Token,
    decode_base64,
    parse_byte_sequences,
    parse_inner_lists,
    serialize_string,
)

DIGITS = "9" * 15


def _refused(field: str | bytes, *, byte_sequences: bool = False) -> str:
    parse = parse_byte_sequences if byte_sequences else parse_inner_lists
    with pytest.raises(FieldSyntaxError) as caught:
        parse(field if isinstance(field, bytes) else field.encode("latin-1"))
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "items", "parameters"),
    [
        ("()", (), {}),
        ('("a")', ('"a"',), {}),
        ('("a" "b")', ('"a"', '"b"'), {}),
        ('("a" "a")', ('"a"', '"a"'), {}),  # what a repeated component means is for RFC 9421 to say
        ('("")', ('""',), {}),
        (r'("\"" "\\")', (r'"\""', r'"\\"'), {}),
        (r'("a\"b\\c\"")', (r'"a\"b\\c\""',), {}),
        ('("a b" " ")', ('"a b"', '" "'), {}),
        ('("(" ")" ";" "," "=")', ('"("', '")"', '";"', '","', '"="'), {}),
        ('("a";sf;key="x" "b";req)', ('"a";sf;key="x"', '"b";req'), {}),
        ('("a");a;b=?0', ('"a"',), {"a": True, "b": False}),
        ("();n=0;m=-1;l=-999999999999999", (), {"n": 0, "m": -1, "l": -999_999_999_999_999}),
        (f"();n={DIGITS}", (), {"n": 999_999_999_999_999}),
        (r'();s="";t="\"\\";u=" ;,="', (), {"s": "", "t": '"\\', "u": " ;,="}),
        ("();t=a;u=*", (), {"t": Token("a"), "u": Token("*")}),
        ("();t=A1:/!#$%&'*+.^_`|~-", (), {"t": Token("A1:/!#$%&'*+.^_`|~-")}),
        ("();b=::;c=:AA==:;d=:AAA=:;e=:+/+/:", (), {"b": b"", "c": b"\0", "d": b"\0\0", "e": b"\xfb\xff\xbf"}),
        ("();*a_b-c.d*1=1", (), {"*a_b-c.d*1": 1}),
    ],
)
def test_an_inner_list_is_read(text: str, items: tuple[str, ...], parameters: dict[str, BareItem]) -> None:
    member = parse_inner_lists(f"sig={text}".encode())["sig"]
    assert member == InnerList(text, items, parameters)
    assert list(map(type, member.parameters.values())) == list(map(type, parameters.values()))


@pytest.mark.parametrize("comma", [",", ", ", " ,", " , ", "\t,\t", "  \t ,\t  "])
def test_white_space_is_optional_around_commas(comma: str) -> None:
    members = parse_inner_lists(f'a=("x");n=1{comma}b=()'.encode())
    assert members == {"a": InnerList('("x");n=1', ('"x"',), {"n": 1}), "b": InnerList("()", (), {})}
    assert list(parse_byte_sequences(f"b=:AA==:{comma}a=::".encode()).items()) == [("b", b"\0"), ("a", b"")]


@pytest.mark.parametrize("key", ["a", "*", "sig1", "a_b", "a-b", "a.b", "a*b", "*1", "a" * 1000])
def test_keys(key: str) -> None:
    assert list(parse_inner_lists(f"{key}=()".encode())) == [key]
    assert parse_byte_sequences(f"{key}=:AAAA:".encode()) == {key: bytes(3)}


@pytest.mark.parametrize("key", ["", "A", "1", "-", "_a", ".a", "aB", "a b", " a", "a ", "a/b", '"a"', "ä", "a\0"])
def test_other_keys_are_refused(key: str) -> None:
    assert _refused(f"{key}=()") == "malformed-field"
    assert _refused(f"{key}=:AAAA:", byte_sequences=True) == "malformed-field"
    if key not in ("a ", " a"):
        assert _refused(f"a=();{key}=1") == "malformed-field"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "a",
        "a=",
        "a=1",
        'a="x"',
        "a=?1",
        "a=:AAAA:",
        "a=(",
        "a=)",
        "a=(()",
        "a=(())",
        "a=())",
        "a =()",
        "a= ()",
        "a=();",
        "a=() ;n=1",
        "a=(); n=1",
        "a=();n =1",
        "a=();n= 1",
        "a=();n=",
        "a=();=1",
        "a=();;n=1",
        "a=(),",
        "a=(), ",
        ",a=()",
        "a=(),,b=()",
        "a=() b=()",
        "a=();b=()",
        "a=()b=()",
        " a=()",
        "a=() ",
        "a=()\t",
        "a=(),\nb=()",
        "a=()\r\n",
        "a=()\n",
        "a=()\0",
        "a=()é",
    ],
)
def test_a_malformed_dictionary_is_refused(text: str) -> None:
    assert _refused(text) == "malformed-field"


@pytest.mark.parametrize(
    "items",
    [
        " ",
        '"a" ',
        ' "a"',
        '"a"  "b"',
        '"a"\t"b"',
        '"a""b"',
        '"a","b"',
        '"a", "b"',
        '"a" ;sf',
        '"a"; sf',
        '"a";',
        '"a";sf=',
        '"a";SF',
        '"a";sf;sf',
        '"a";sf=?1',
        '"a',
        'a"',
        '"a" "b',
        '"a\\"',
        '"a\\b"',
        '"a\\\\\\"',
        '"a\tb"',
        '"a\x7f"',
        '"a\x00"',
        '"é"',
        "a",
        "1",
        ":AAAA:",
        "?0",
        '("a")',
        "'a'",
    ],
)
def test_malformed_items_are_refused(items: str) -> None:
    assert _refused(f"sig=({items})") == "malformed-field"
    assert _refused(f'sig=("x" {items})') == "malformed-field"


@pytest.mark.parametrize(
    "value",
    [
        "01",
        "-0",
        "-01",
        "00",
        "+1",
        "-",
        "--1",
        f"1{DIGITS}",
        f"-1{DIGITS}",
        "1.0",
        "-1.5",
        "1.",
        "1e3",
        "0x1",
        "?1",
        "?2",
        "?",
        "?00",
        "@1659578233",
        '%"x"',
        "'x'",
        "#x",
        "(1)",
        '"x',
        '"x""',
        '"x\ty"',
        '"\\x"',
        ":AAAA",
        ":AAAA::",
        ":AAA:",
        ":AB==:",
        ":AAB=:",
        ":AA=A:",
        ":====:",
        ":=:",
        ":A A=:",
        ":-_-_:",
        ":AAAA=:",
        ":AAAA====:",
        "a b",
        "a\x00",
        "é",
        "1 2",
    ],
)
def test_other_values_are_refused(value: str) -> None:
    assert _refused(f"sig=();n={value}") == "malformed-field"
    assert _refused(f'sig=("a";n={value})') == "malformed-field"


def test_a_parameter_given_twice_is_refused() -> None:
    assert _refused("sig=();n=1;n=1") == "malformed-field"
    assert _refused("sig=();n;m;n=?0") == "malformed-field"
    assert _refused('sig=("a" "b";n=1;n=2)') == "malformed-field"


def test_a_key_given_twice_is_refused() -> None:
    assert _refused("a=(), b=(), a=()") == "duplicate-label"
    assert _refused("a=::, b=::, a=::", byte_sequences=True) == "duplicate-label"


@pytest.mark.parametrize(
    "value",
    ["", ":", "::;a", "AAAA", ":AAAA", "AAAA:", '"AAAA"', "(:AAAA:)", "1", "?1", "a", ": AAAA:", ":AAAA :", ":AA\nAA:"],
)
def test_what_is_no_byte_sequence_is_refused(value: str) -> None:
    assert _refused(f"sig={value}", byte_sequences=True) == "malformed-field"
    assert _refused(f"a=::, sig={value}", byte_sequences=True) == "malformed-field"


@pytest.mark.parametrize("separator", ["", " ", ";", ",,", ", ,", "\n", ",\n", "\x0b"])
def test_what_is_no_comma_is_refused(separator: str) -> None:
    assert _refused(f"a=::{separator}b=::", byte_sequences=True) == "malformed-field"
    assert _refused(f"a=(){separator}b=()") == "malformed-field"


@pytest.mark.parametrize(("text", "data"), [("", b""), ("AA==", b"\0"), ("/+8=", b"\xff\xef"), ("AAAA", bytes(3))])
def test_canonical_base64_is_read(text: str, data: bytes) -> None:
    assert decode_base64(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AA",
        "AAA",
        "AA=",
        "A===",
        "=",
        "==",
        "===",
        "====",
        "AAAA=",
        "AAAA==",
        "AAAA===",
        "AAAA====",
        "AAAAAAAA========",
        "AA==AAAA",
        "AA=A",
        "=AAA",
        "AB==",
        "AAB=",
        "-_-_",
        "AAA:",
        "A\xa0A=",
        "AAA\x00",
    ],
)
def test_other_base64_is_refused(text: str) -> None:
    with pytest.raises(FieldSyntaxError, match="a byte sequence is not"):
        decode_base64(text)


def test_exactly_one_text_stands_for_one_byte() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    readable: dict[bytes, int] = {}
    for text in (f"{first}{second}==" for first in alphabet for second in alphabet):
        try:
            data = decode_base64(text)
        except FieldSyntaxError:
            continue
        readable[data] = readable.get(data, 0) + 1
    assert readable == {bytes([byte]): 1 for byte in range(256)}


@pytest.mark.parametrize(
    ("value", "text"),
    [("", '""'), ("a b", '"a b"'), ('"', r'"\""'), ("\\", r'"\\"'), ('\\"', r'"\\\""'), (" ~", '" ~"')],
)
def test_a_string_is_written_as_it_is_read(value: str, text: str) -> None:
    assert serialize_string(value) == text
    assert parse_inner_lists(f"sig=();s={text}".encode())["sig"].parameters == {"s": value}


@pytest.mark.parametrize("value", ["\n", "\t", "\0", "\x1f", "\x7f", "\x80", "é", "a\nb", "\ud800", "€"])
def test_a_string_beyond_printable_ascii_is_not_written(value: str) -> None:
    with pytest.raises(FieldSyntaxError, match="printable ASCII"):
        serialize_string(value)


def test_members_are_of_limited_number() -> None:
    fields = [", ".join(f"m{number}=()" for number in range(count)) for count in (MAX_MEMBERS, MAX_MEMBERS + 1)]
    assert len(parse_inner_lists(fields[0].encode())) == MAX_MEMBERS
    assert _refused(fields[1]) == "too-many-labels"
    with pytest.raises(FieldSyntaxError, match="at most 2 members"):
        parse_byte_sequences(b"a=::, b=::, c=::", max_members=2)


def test_items_and_parameters_are_of_limited_number() -> None:
    items = '"x" ' * (MAX_ITEMS - 1) + '"y"'
    parameters = "".join(f";p{number}" for number in range(MAX_PARAMETERS))
    assert len(parse_inner_lists(f"a=({items})".encode())["a"].items) == MAX_ITEMS
    assert len(parse_inner_lists(f"a=(){parameters}".encode())["a"].parameters) == MAX_PARAMETERS
    assert parse_inner_lists(f'a=("x"{parameters})'.encode())["a"].items == (f'"x"{parameters}',)
    assert _refused(f'a=({items} "z")') == "malformed-field"
    assert _refused(f"a=(){parameters};q") == "malformed-field"
    assert _refused(f'a=("x"{parameters};q)') == "malformed-field"


def test_a_field_is_of_limited_size() -> None:
    text = f'a=("{"x" * (MAX_FIELD_BYTES - 6)}")'.encode()
    assert len(text) == MAX_FIELD_BYTES
    assert list(parse_inner_lists(text)) == ["a"]
    assert _refused(text + b" ") == "field-too-large"
    assert _refused(b"a=:" + b"A" * MAX_FIELD_BYTES, byte_sequences=True) == "field-too-large"


@pytest.mark.parametrize(
    ("start", "unit", "end"),
    [
        ("a=(", '"x" ', ""),
        ("a=(", '"x" ', '"x"'),
        ("a=(", '"x" ', '"x")!'),
        ("a=(", '"";a=1 ', "!"),
        ('a=("x"', ";a=1", ";"),
        ('a=("x"', ";a", "="),
        ('a=("x")', ";a=1", "!"),
        ('a=("', r"\"", ""),
        ('a=("', r"\"", "\\"),
        ('a=("', r"\"x", '"'),
        ("a=(", '"', ""),
        ("a=();k=", "9", ""),
        ("a=();k=:", "=", '"'),
        ("a=();k=:", "A", '"'),
        ("a=()", "\t ", "x"),
        ("a=::", " ", "x"),
        ("a=:", "AAAA", "=:"),
        ("", "a=(),", ""),
        ("", "*", ""),
        ("", ":", ""),
    ],
)
def test_a_hostile_field_is_refused_without_backtracking(start: str, unit: str, end: str) -> None:
    """Quadratic work would be seconds here, exponential work would never end."""
    count = (MAX_FIELD_BYTES - len(start) - len(end)) // len(unit)
    field = start + unit * count + end
    for byte_sequences in (False, True):
        assert _refused(field, byte_sequences=byte_sequences) in {"malformed-field", "duplicate-label"}
