"""The one gate for JSON: I-JSON (RFC 7493) in, nothing dropped or altered on the way.

`loads` refuses every text that two readers could take for different values (the reasons are listed in
`json_scanner`). What it accepts, `dumps` writes so that `loads` reads an equal value of the same types.
Unicode noncharacters pass, unlike in RFC 7493 §2.1: Unicode's own Corrigendum 9 says that they may be sent.

Valid texts take the fast path: the standard library's C scanner, which the checks below make strict. They
read bytes at C speed and leave Python-level callbacks on numbers to the texts that need them. Whatever the
fast path does not accept, the slow scanner decides.
"""

from __future__ import annotations

import json
import re

import rfc8785

from secure_api.domain.errors import Invalid
from secure_api.domain.json_number import SURELY_EXACT, read_float, read_integer
from secure_api.domain.json_scanner import scan
from secure_api.domain.json_value import JsonValue

__all__ = ["MAX_DEPTH", "JsonValue", "canonical", "dumps", "loads"]

#: Arrays and objects inside one another that are accepted when the caller sets no other limit.
MAX_DEPTH = 64


def loads(data: bytes, *, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Read one JSON text, of any bytes, in at most `max_depth` nested arrays and objects.

    Raises:
        JsonRejected: it is not one; the error names the reason and the place.
    """
    try:
        value = (_close_decoder if _has_delicate_numbers(data) else _plain_decoder).decode(data.decode())
        if not _has_forbidden_escape(data) and _is_shallow(data, max_depth):
            return value  # type: ignore[no-any-return]  # the stub says Any
    except (ValueError, RecursionError):
        pass  # refused, or nested deeper than this thread's stack: the slow scanner knows
    return scan(data, max_depth)


def dumps(value: JsonValue) -> bytes:
    """Write compact UTF-8 JSON, members in their order.

    Raises:
        Invalid: the value is not a `JsonValue` (not finite, a lone surrogate, a cycle, another type).
    """
    try:
        return _encoder.encode(value).encode()
    except (ValueError, TypeError, RecursionError):
        raise Invalid("The value cannot be written as JSON.") from None


def canonical(value: JsonValue) -> bytes:
    """Write the RFC 8785 canonical form: what is hashed and signed.

    It writes 1.0 as `1`, -0.0 as `0` and 1e20 as an integer that `loads` refuses: what is to be read again is
    written by `dumps`.

    Raises:
        Invalid: the value is not a `JsonValue`, or holds an integer beyond ±(2**53 - 1).
    """
    try:
        return rfc8785.dumps(value)
    except (ValueError, TypeError, RecursionError):
        raise Invalid("The value has no canonical JSON form.") from None


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _constant(_: str) -> JsonValue:
    raise ValueError


_plain_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
_close_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=read_float, parse_int=read_integer
)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


_NUMBER_SHAPE = bytes.maketrans(b"123456789.E", b"0000000000e")
_OTHER_LETTERS = b"abcdfghijklmnopqrstuvwxyzABCDFGHIJKLMNOPQRSTUVWXYZ"  # no number has one


def _has_delicate_numbers(data: bytes) -> bool:
    """Tell whether a number may have many digits or an exponent. Text in strings may look like one."""
    shape = data.translate(_NUMBER_SHAPE, _OTHER_LETTERS)
    return b"0" * (SURELY_EXACT + 1) in shape or b"0e" in shape


_FORBIDDEN_ESCAPE = re.compile(
    rb"\\u(?:0000|[dD][89abAB]..(?!\\u[dD][c-fC-F])|[dD][c-fC-F](?<!\\u[dD][89abAB]..\\u..))", re.DOTALL
)


def _has_forbidden_escape(data: bytes) -> bool:
    """Tell whether a syntactically valid text escapes U+0000 or half of a surrogate pair."""
    if b"\\" not in data:
        return False
    return _FORBIDDEN_ESCAPE.search(data.replace(rb"\\", b"//")) is not None


_BRACKETS = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))


def _is_shallow(data: bytes, max_depth: int) -> bool:
    """Tell whether a syntactically valid text nests at most `max_depth` arrays and objects."""
    if b"\\" in data:
        data = data.replace(rb"\\", b"").replace(rb"\"", b"")
    shape = data.translate(_BRACKETS, _ALL_BUT_BRACKETS)
    if shape.count(b"[") <= max_depth:
        return True
    shape = shape.replace(b'""', b"")
    if b'"' in shape:  # brackets in a string; the quotes that are left still tell inside from outside
        shape = b"".join(shape.split(b'"')[::2])
    for _ in range(max_depth):
        if not shape:
            break
        shape = shape.replace(b"[]", b"")
    return not shape
