"""The part of Structured Fields (RFC 9651) that RFC 9421 and RFC 9530 need, read strictly.

Two shapes of dictionary: inner lists of strings with parameters (Signature-Input), and byte sequences
(Signature, Content-Digest). Only the canonical serialization of RFC 9651 §4.1 is accepted, so the text of a
member is the text that was signed; the one liberty is optional white space around the comma between members,
where field lines are joined. A repeated key is refused, where RFC 9651 would let the last one win: two
readers must not see two messages.

Bare items are strings, integers, tokens, byte sequences and booleans. Decimals, dates and display strings are
refused.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from functools import lru_cache
from typing import Final, NamedTuple

from pybase64 import b64decode

from crypto.errors import FieldSyntaxError

MAX_FIELD_BYTES: Final = 16_384
MAX_MEMBERS: Final = 16
# Of one inner list, and of one item or list: what is remembered of strangers' fields must stay small.
MAX_ITEMS: Final = 64
MAX_PARAMETERS: Final = 32

# Every repetition is possessive or in an atomic group: a hostile field costs one pass, never a backtrack.
# Groups are atomic because CPython before 3.11.5 gets possessive groups wrong (gh-106052).
_KEY: Final = r"[a-z*][a-z0-9_.*-]*+"
_TEXT: Final = r"[\x20\x21\x23-\x5b\x5d-\x7e]*+"
_STRING: Final = rf'"{_TEXT}(?>(?:\\["\\]{_TEXT})*)"'
_INTEGER: Final = r"(?:0|-?[1-9][0-9]{0,14})"
_TOKEN: Final = r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*+"  # noqa: S105 - a grammar rule, not a secret
_BYTES: Final = r":[A-Za-z0-9+/]*+={0,2}:"
_BARE_ITEM: Final = rf"(?:{_STRING}|{_INTEGER}|{_TOKEN}|{_BYTES}|\?0)"
_PARAMETER: Final = rf";{_KEY}(?>(?:={_BARE_ITEM})?)"
_ALL_PARAMETERS: Final = rf"(?>(?:{_PARAMETER})*)"
_ITEM: Final = rf"{_STRING}{_ALL_PARAMETERS}"
_ALL_ITEMS: Final = rf"(?>(?:{_ITEM}(?: {_ITEM})*)?)"

_PARAMETERS: Final = re.compile(rf";({_KEY})(?>(?:=({_BARE_ITEM}))?)")
_ITEMS: Final = re.compile(rf"({_STRING})({_ALL_PARAMETERS})")
_INNER_LIST: Final = re.compile(rf"({_KEY})=(\(({_ALL_ITEMS})\)({_ALL_PARAMETERS}))")
_BYTES_START: Final = re.compile(rf"({_KEY})=:")
_COMMA: Final = re.compile(r"[ \t]*+,[ \t]*+")
_ESCAPED: Final = re.compile(r"\\(.)")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*+")

# Last characters of a base64 group whose unused bits are zero (RFC 4648 §3.5).
_ZERO_4_BITS: Final = frozenset("AQgw")
_ZERO_2_BITS: Final = frozenset("AEIMQUYcgkosw048")


class Token(str):
    """A token of RFC 9651 §3.3.4, which is not the string of the same letters."""

    __slots__ = ()


BareItem = int | str | bytes | bool


class InnerList(NamedTuple):
    """An inner list: its exact text, the text of each item with its parameters, and the list's own parameters."""

    text: str
    items: tuple[str, ...]
    parameters: dict[str, BareItem]


def parse_inner_lists(
    field: bytes, *, max_members: int = MAX_MEMBERS, max_bytes: int = MAX_FIELD_BYTES
) -> dict[str, InnerList]:
    """Return the members of a dictionary of inner lists of strings. Raises FieldSyntaxError."""
    text = _ascii(field, max_bytes)
    members: dict[str, InnerList] = {}
    position = 0
    while True:
        match = _INNER_LIST.match(text, position)
        if match is None:
            raise FieldSyntaxError("malformed-field", f"no inner list with a key at character {position}")
        key, whole, items, parameters = match.groups()
        _check_member(key, members, max_members)
        members[key] = InnerList(whole, _split_items(items), parse_parameters(parameters))
        position = match.end()
        if position == len(text):
            return members
        position = _after_comma(text, position)


def parse_byte_sequences(
    field: bytes, *, max_members: int = MAX_MEMBERS, max_bytes: int = MAX_FIELD_BYTES
) -> dict[str, bytes]:
    """Return the members of a dictionary of byte sequences without parameters. Raises FieldSyntaxError."""
    text = _ascii(field, max_bytes)
    members: dict[str, bytes] = {}
    position = 0
    while True:
        match = _BYTES_START.match(text, position)
        end = text.find(":", match.end()) if match is not None else -1
        if match is None or end < 0:
            raise FieldSyntaxError("malformed-field", f"no byte sequence with a key at character {position}")
        key = match[1]
        _check_member(key, members, max_members)
        members[key] = decode_base64(text[match.end() : end])
        position = end + 1
        if position == len(text):
            return members
        position = _after_comma(text, position)


def parse_parameters(text: str) -> dict[str, BareItem]:
    """Return the parameters of text that the grammar has already accepted. Raises FieldSyntaxError."""
    found = _PARAMETERS.findall(text)
    if len(found) > MAX_PARAMETERS:
        raise FieldSyntaxError("malformed-field", f"an item has at most {MAX_PARAMETERS} parameters")
    parameters = {key: _bare_item(value) for key, value in found}
    if len(parameters) != len(found):
        raise FieldSyntaxError("malformed-field", "a parameter is given twice")
    return parameters


def decode_base64(text: str) -> bytes:
    """Return the bytes of canonical base64: padded, no white space, unused bits zero.

    Raises FieldSyntaxError.
    """
    # Also what a strict decoder may let pass: padding behind a whole group.
    if len(text) % 4 != 0:
        raise FieldSyntaxError("malformed-field", "a byte sequence is not base64")
    try:
        data: bytes = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise FieldSyntaxError("malformed-field", "a byte sequence is not base64") from None
    if text.endswith("="):
        canonical = text[-3] in _ZERO_4_BITS if text.endswith("==") else text[-2] in _ZERO_2_BITS
        if not canonical:
            raise FieldSyntaxError("malformed-field", "a byte sequence is not canonical base64")
    return data


def serialize_string(value: str) -> str:
    """Return the string in quotes (RFC 9651 §4.1.6).

    Raises FieldSyntaxError for anything but printable ASCII.
    """
    if _PRINTABLE.fullmatch(value) is None:
        raise FieldSyntaxError("malformed-field", "a string holds a character that is not printable ASCII")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _ascii(field: bytes, max_bytes: int) -> str:
    if len(field) > max_bytes:
        raise FieldSyntaxError("field-too-large", f"a field has at most {max_bytes} bytes, not {len(field)}")
    try:
        return field.decode("ascii")
    except UnicodeDecodeError:
        raise FieldSyntaxError("malformed-field", "a field is not ASCII") from None


def _after_comma(text: str, position: int) -> int:
    match = _COMMA.match(text, position)
    if match is None:
        raise FieldSyntaxError("malformed-field", f"no comma at character {position}")
    return match.end()


def _check_member(key: str, members: dict[str, InnerList] | dict[str, bytes], max_members: int) -> None:
    if key in members:
        raise FieldSyntaxError("duplicate-label", f"the key {key!r} is there twice")
    if len(members) == max_members:
        raise FieldSyntaxError("too-many-labels", f"a dictionary has at most {max_members} members")


# Clients send the same list every time; parameters of other lists are checked by the same call.
@lru_cache(maxsize=64)
def _split_items(text: str) -> tuple[str, ...]:
    items = _ITEMS.findall(text)
    if len(items) > MAX_ITEMS:
        raise FieldSyntaxError("malformed-field", f"an inner list has at most {MAX_ITEMS} items")
    for _, parameters in items:
        if parameters:
            parse_parameters(parameters)
    return tuple(string + parameters for string, parameters in items)


def _bare_item(text: str) -> BareItem:
    first = text[:1]
    if first == '"':
        inner = text[1:-1]
        return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
    if first == "":
        return True
    if first == ":":
        return decode_base64(text[1:-1])
    if first == "?":
        return False
    return int(text) if first.isdigit() or first == "-" else Token(text)
