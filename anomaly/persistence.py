"""Saved states: a versioned binary format of our own, signed, and checked for size before anything is decoded.

    file      = magic(8) version(u16) schema(len u8, text) features(16 bytes of text) length(u64) body signature
    body      = value
    value     = "N" | "T" | "F" | "I" i64 | "D" f64 | "S" u32 utf-8 | "Y" u32 bytes
              | "A" typecode(1) u32 count, little-endian items | "L" u32 count, values | "M" u32 count, (S value)*

All numbers are little-endian; floats are their bits, so that what is restored scores bit for bit the same. The
signature covers everything before it and is verified before the body is decoded. Nothing in a file names code.
"""

import struct
import sys
from array import array
from collections.abc import Callable
from typing import Final

from anomaly.errors import StateCorrupt, StateForeign, StateUntrusted
from anomaly.features import FEATURES_HASH
from anomaly.state import State, Value

MAGIC: Final = b"SAPIBEHV"
VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_DEPTH: Final = 12
_MAX_ITEMS: Final = 4_000_000
_HEADER: Final = struct.Struct("<8sH32s16sQ")
_U32: Final = struct.Struct("<I")
_I64: Final = struct.Struct("<q")
_F64: Final = struct.Struct("<d")
_WIDTHS: Final = {"f": 4, "d": 8, "q": 8, "I": 4, "h": 2}

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], None]


def dump(state: State, schema: str, sign: Sign) -> bytes:
    """Return a state as a signed file.

    Args:
        state: what an object's `state()` gave.
        schema: what kind of object it is of, at most 32 bytes of ASCII.
        sign: returns the signature of the bytes given.

    Raises:
        StateCorrupt: the state has a value that the format has no room for, or is larger than 64 MiB.
    """
    body = bytearray()
    _write(body, state, 0)
    if len(body) > MAX_BYTES:
        raise StateCorrupt(f"The state is larger than {MAX_BYTES} bytes.")
    header = _HEADER.pack(MAGIC, VERSION, schema.encode(), FEATURES_HASH.encode(), len(body))
    signed = header + bytes(body)
    return signed + sign(signed)


def load(data: bytes, schema: str, verify: Verify) -> State:
    """Return the state in a file.

    Args:
        data: the file.
        schema: what kind of object it must be of.
        verify: raises, whatever it likes, unless its second argument is the signature of its first.

    Raises:
        StateCorrupt: truncated, too large, or not this format.
        StateForeign: of another version, schema, or list of features.
        StateUntrusted: the signature does not hold.
    """
    if len(data) < _HEADER.size or data[:8] != MAGIC:
        raise StateCorrupt("This is no saved behavior state.")
    _, version, kind, features, length = _HEADER.unpack_from(data)
    if version != VERSION:
        raise StateForeign(f"The state has version {version}; this program reads {VERSION}.")
    end = _HEADER.size + length
    if length > MAX_BYTES or len(data) < end or len(data) > end + 16_384:
        raise StateCorrupt("The state is truncated, or too large.")
    try:
        verify(data[:end], data[end:])
    except Exception as error:
        raise StateUntrusted("The signature of the state does not hold.") from error
    if kind.rstrip(b"\0") != schema.encode():
        raise StateForeign(f"The state is no {schema!r}.")
    if features != FEATURES_HASH.encode():
        raise StateForeign("The state was made with another list of features.")
    reader = _Reader(data, _HEADER.size, end)
    state = reader.value(0)
    if reader.at != end or not isinstance(state, dict):
        raise StateCorrupt("The state does not end where it says.")
    return state


def _write(out: bytearray, value: Value, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise StateCorrupt("The state is nested too deeply.")
    if value is None:
        out += b"N"
    elif value is True or value is False:
        out += b"T" if value else b"F"
    elif isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            raise StateCorrupt("The state has an integer of more than 64 bits.")
        out += b"I" + _I64.pack(value)
    elif isinstance(value, float):
        out += b"D" + _F64.pack(value)
    elif isinstance(value, str):
        text = value.encode()
        out += b"S" + _U32.pack(len(text)) + text
    elif isinstance(value, bytes):
        out += b"Y" + _U32.pack(len(value)) + value
    elif isinstance(value, array):
        out += b"A" + value.typecode.encode() + _U32.pack(len(value)) + _little(value).tobytes()
    elif isinstance(value, list):
        out += b"L" + _U32.pack(len(value))
        for item in value:
            _write(out, item, depth + 1)
    elif isinstance(value, dict):
        out += b"M" + _U32.pack(len(value))
        for name, item in value.items():
            _write(out, name, depth + 1)
            _write(out, item, depth + 1)
    else:
        raise StateCorrupt(f"The state has a {type(value).__name__}.")


def _little(values: "array[float] | array[int]") -> "array[float] | array[int]":
    if sys.byteorder == "little":
        return values
    swapped = array(values.typecode, values)
    swapped.byteswap()
    return swapped


class _Reader:
    """Decodes values; every length is checked against what is left before anything is made."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.at = at
        self._data = data
        self._end = end
        self._items = 0

    def _take(self, length: int) -> bytes:
        if length > self._end - self.at:
            raise StateCorrupt("The state is cut short.")
        self.at += length
        return self._data[self.at - length : self.at]

    def _length(self) -> int:
        (length,) = _U32.unpack(self._take(4))
        return int(length)

    def value(self, depth: int) -> Value:
        """Return the next value."""
        self._items += 1
        if depth > _MAX_DEPTH or self._items > _MAX_ITEMS:
            raise StateCorrupt("The state is nested too deeply, or has too many values.")
        match self._take(1):
            case b"N":
                return None
            case b"T":
                return True
            case b"F":
                return False
            case b"I":
                return int(_I64.unpack(self._take(8))[0])
            case b"D":
                return float(_F64.unpack(self._take(8))[0])
            case b"S":
                return self._text()
            case b"Y":
                return self._take(self._length())
            case b"A":
                return self._array()
            case b"L":
                return [self.value(depth + 1) for _ in range(self._length())]
            case b"M":
                return self._mapping(depth)
        raise StateCorrupt("The state has a value of unknown kind.")

    def _text(self) -> str:
        try:
            return self._take(self._length()).decode()
        except UnicodeDecodeError as error:
            raise StateCorrupt("The state has a text that is not UTF-8.") from error

    def _array(self) -> "array[float] | array[int]":
        code = self._take(1).decode("latin-1")
        if code not in _WIDTHS:
            raise StateCorrupt("The state has an array of unknown kind.")
        values = array(code, self._take(self._length() * _WIDTHS[code]))
        return _little(values)

    def _mapping(self, depth: int) -> State:
        state: State = {}
        for _ in range(self._length()):
            name = self.value(depth + 1)
            if not isinstance(name, str) or name in state:
                raise StateCorrupt("The state has a name that is no text, or one twice.")
            state[name] = self.value(depth + 1)
        return state
