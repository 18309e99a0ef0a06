"""The slow JSON reader: reads what `strict_json` accepts, and says where and why it stops at anything else.

It is the reference for the fast path. It works without recursion, so its verdict depends on the bytes alone.
It reports the first trouble in the order of the document:

    invalid-utf8           a byte that is not UTF-8 (RFC 3629); the detail gives its offset
    byte-order-mark        U+FEFF in front (RFC 8259 §8.1 forbids adding it)
    empty                  nothing but white space
    syntax                 not RFC 8259
    trailing-text          something follows the value
    not-a-number           NaN, Infinity, -Infinity
    number-too-large       beyond binary64
    number-too-precise     binary64 would alter its decimal value, or flush it to zero
    integer-out-of-range   an integer beyond ±(2**53 - 1) (RFC 7493 §2.2)
    duplicate-key          a member's name a second time in one object, after unescaping (RFC 7493 §2.3)
    lone-surrogate         half of a surrogate pair (RFC 7493 §2.1)
    nul-character          U+0000, which PostgreSQL cannot store
    too-deep               an array or object too many inside one another

The pointer (RFC 6901) names the value at fault; for trouble inside a member's name, the object that holds
it; for a duplicate, the member. Lines end at U+000A; columns count characters from 1, a byte of invalid UTF-8
as one.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Final, NoReturn, TypeAlias, cast

from secure_api.domain.errors import JsonRejected
from secure_api.domain.json_number import NumberRefused, read_float, read_integer
from secure_api.domain.json_value import JsonValue

_Container: TypeAlias = "list[JsonValue] | dict[str, JsonValue]"


class _Opened(Enum):
    OPENED = 0


_OPENED: Final = _Opened.OPENED
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:(\.[0-9]+)(?:[eE][+-]?[0-9]+)?|([eE][+-]?[0-9]+))?")
_NOT_A_NUMBER = re.compile(r"NaN|-?Infinity")
_LITERAL = re.compile(r"true|false|null")
# Undecodable bytes are U+DC80..U+DCFF here ("surrogateescape"); valid UTF-8 holds no surrogates.
_PLAIN = re.compile(r'[^"\\\x00-\x1f\udc80-\udcff]*')
# Elements of an array that need no look, with their commas: numbers that are surely kept, and literals. Bounded,
# since the engine keeps every repetition of a group: a MiB of `1,` would take 200 MiB.
_RUN = re.compile(
    r"(?:[ \t\n\r]*+(?:-?(?:0|[1-9][0-9]{0,14}+)(?:\.[0-9]++(?<![0-9.]{16}))?|true|false|null)[ \t\n\r]*+,){0,500}"
)
_CODE_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}


def scan(data: bytes, max_depth: int) -> JsonValue:
    """Read one JSON text.

    Raises:
        JsonRejected: naming the first trouble and its place.
    """
    return _Scanner(data, max_depth).document()


class _Scanner:
    """One reading. `path` holds a segment for each open container: None between two members or elements."""

    def __init__(self, data: bytes, max_depth: int) -> None:
        self.text = data.decode("utf-8", "surrogateescape")
        self.max_depth = max_depth
        self.at = 0
        self.containers: list[_Container] = []
        self.path: list[str | int | None] = []

    def document(self) -> JsonValue:
        if self.text.startswith("\ufeff"):
            self.refuse("byte-order-mark", "The text starts with a byte order mark.")
        if not self.skip_space():
            self.refuse("empty", "There is no JSON value.")
        value = self.value()
        if self.skip_space():
            self.check_byte()
            self.refuse("trailing-text", "Something follows the JSON value.")
        return value

    def value(self) -> JsonValue:
        """Read one value; open containers wait on a list, not on Python's stack."""
        while True:
            value = self.scalar_or_opening()
            while value is not _OPENED:
                if not self.containers:
                    return value
                container = self.containers[-1]
                self.keep(container, value)
                here = self.skip_space()
                if here == ",":
                    self.at += 1
                    self.next_member(container)
                    break
                if here != _end_of(container):
                    self.wrong(f"Expected ',' or '{_end_of(container)}'.")
                value = self.close()

    def scalar_or_opening(self) -> JsonValue | _Opened:
        """Read a scalar or an empty container whole, of any other container the opening."""
        here = self.skip_space()
        if here == '"':
            return self.string()
        if here in ("{", "["):
            return self.open({} if here == "{" else [])
        if match := _LITERAL.match(self.text, self.at):
            self.at = match.end()
            return _LITERALS[match[0]]
        if match := _NOT_A_NUMBER.match(self.text, self.at):
            self.refuse("not-a-number", f"{match[0]} is not JSON.")
        if match := _NUMBER.match(self.text, self.at):
            return self.number(match)
        self.wrong("Expected a value.")

    def open(self, container: _Container) -> JsonValue | _Opened:
        if len(self.containers) == self.max_depth:
            self.refuse("too-deep", f"More than {self.max_depth} arrays and objects inside one another.")
        self.containers.append(container)
        self.path.append(None)
        self.at += 1
        if self.skip_space() == _end_of(container):
            return self.close()
        self.next_member(container)
        return _OPENED

    def close(self) -> JsonValue:
        self.at += 1
        self.path.pop()
        return self.containers.pop()

    def keep(self, container: _Container, value: JsonValue) -> None:
        if isinstance(container, list):
            container.append(value)
        else:
            container[cast(str, self.path[-1])] = value
        self.path[-1] = None

    def next_member(self, container: _Container) -> None:
        """Read up to the next value: past a name and its colon in an object, nothing in an array."""
        if isinstance(container, list):
            run = _after(_RUN, self.text, self.at)
            if run > self.at:  # at C speed, lest a long array of numbers takes seconds to refuse
                container += json.loads(f"[{self.text[self.at : run]}0]")[:-1]
                self.at = run
            self.path[-1] = len(container)
            return
        if self.skip_space() != '"':
            self.wrong("Expected a member's name in double quotes.")
        start = self.at
        name = self.string()
        self.path[-1] = name
        if name in container:
            self.refuse("duplicate-key", "The object has this member already.", start)
        if self.skip_space() != ":":
            self.wrong("Expected ':' after the member's name.")
        self.at += 1

    def number(self, match: re.Match[str]) -> int | float:
        try:
            value = read_integer(match[0]) if match.lastindex is None else read_float(match[0])
        except NumberRefused as refusal:
            self.refuse(refusal.reason, str(refusal))
        self.at = match.end()
        return value

    def string(self) -> str:
        """Read a string whose opening quote is here."""
        parts: list[str] = []
        self.at += 1
        while True:
            end = _after(_PLAIN, self.text, self.at)
            parts.append(self.text[self.at : end])
            self.at = end
            here = self.text[self.at : self.at + 1]
            if here == '"':
                self.at += 1
                return "".join(parts)
            if here == "\\":
                parts.append(self.escape())
            elif not here:
                self.wrong("The string has no end.")
            else:
                self.wrong("A control character in a string must be escaped.")

    def escape(self) -> str:
        """Read one escape sequence whose backslash is here, or the two of a surrogate pair."""
        here = self.text[self.at + 1 : self.at + 2]
        if here in _ESCAPES:
            self.at += 2
            return _ESCAPES[here]
        unit = self.code_unit(self.at)
        if unit is None:
            self.wrong("There is no such escape sequence.")
        if unit == 0:
            self.refuse("nul-character", "U+0000 cannot be stored.")
        if not 0xD800 <= unit <= 0xDFFF:
            self.at += 6
            return chr(unit)
        low = self.code_unit(self.at + 6)
        if unit > 0xDBFF or low is None or not 0xDC00 <= low <= 0xDFFF:
            self.refuse("lone-surrogate", f"\\u{unit:04x} is half of a surrogate pair.")
        self.at += 12
        return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))

    def code_unit(self, at: int) -> int | None:
        match = _CODE_UNIT.match(self.text, at)
        return None if match is None else int(match[1], 16)

    def skip_space(self) -> str:
        """Skip white space and give the character that follows, "" at the end."""
        self.at = _after(_SPACE, self.text, self.at)
        return self.text[self.at : self.at + 1]

    def wrong(self, detail: str) -> NoReturn:
        """Refuse what is here as a syntax error, or as the invalid UTF-8 that it may be."""
        self.check_byte()
        if self.at >= len(self.text):
            detail = f"The text ends too early. {detail}"
        self.refuse("syntax", detail)

    def check_byte(self) -> None:
        here = self.text[self.at : self.at + 1]
        if "\udc80" <= here <= "\udcff":
            offset = len(self.text[: self.at].encode("utf-8", "surrogateescape"))
            self.refuse(
                "invalid-utf8",
                f"Byte 0x{ord(here) - 0xDC00:02x} at offset {offset} is not part of UTF-8 text.",
            )

    def refuse(self, reason: str, detail: str, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        segments = (str(segment) for segment in self.path if segment is not None)
        pointer = "".join("/" + segment.replace("~", "~0").replace("/", "~1") for segment in segments)
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        raise JsonRejected(reason, pointer, line, column, f"{detail} (line {line}, column {column})")


def _end_of(container: _Container) -> str:
    return "]" if isinstance(container, list) else "}"


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Give the end of a match that cannot fail, since the pattern takes the empty string too."""
    return cast("re.Match[str]", pattern.match(text, at)).end()
