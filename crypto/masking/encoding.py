"""The bytes of messages and states: big-endian numbers and counted fields, read strictly."""

from __future__ import annotations

from collections.abc import Iterable

from crypto.errors import MaskingFormatError, SharingError
from crypto.sharing import VALUE_BYTES, Share


class Writer:
    """Joins fields. What does not fit its field is a mistake of the caller's, and an OverflowError."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[bytes | memoryview] = []

    def number(self, value: int, length: int) -> Writer:
        """Add an unsigned number of so many bytes."""
        self._parts.append(value.to_bytes(length))
        return self

    def raw(self, *fields: bytes | memoryview) -> Writer:
        """Add fields whose lengths the format says."""
        self._parts.extend(fields)
        return self

    def counted(self, field: bytes, length: int = 2) -> Writer:
        """Add a field behind its length, which takes `length` bytes."""
        return self.number(len(field), length).raw(field)

    def indices(self, members: Iterable[int]) -> Writer:
        """Add how many clients there are, and the index of each."""
        listed = tuple(members)
        self.number(len(listed), 2)
        for index in listed:
            self.number(index, 2)
        return self

    def done(self) -> bytes:
        """Return everything."""
        return b"".join(self._parts)


class Reader:
    """Takes fields from bytes that anybody may have sent. Raises MaskingFormatError."""

    __slots__ = ("_data", "_place")

    def __init__(self, data: bytes, place: int = 0) -> None:
        self._data = data
        self._place = place

    def number(self, length: int) -> int:
        """Take an unsigned number of so many bytes."""
        return int.from_bytes(self.raw(length))

    def raw(self, length: int) -> bytes:
        """Take so many bytes."""
        place = self._place
        self._skip(length)
        return self._data[place : self._place]

    def counted(self, most: int, length: int = 2) -> bytes:
        """Take a field of at most `most` bytes from behind its length."""
        return self.raw(self.count(most, length))

    def count(self, most: int, length: int = 2) -> int:
        """Take a number that says how many follow."""
        found = self.number(length)
        if found > most:
            raise MaskingFormatError(f"{found} in the place of at most {most}")
        return found

    def index(self, most: int) -> int:
        """Take the index of a client, from 1 to `most`."""
        found = self.number(2)
        if not 1 <= found <= most:
            raise MaskingFormatError(f"no client has the index {found}")
        return found

    def indices(self, most: int) -> tuple[int, ...]:
        """Take the indices of clients, ascending."""
        found = tuple(self.index(most) for _ in range(self.count(most)))
        refuse_disorder(found)
        return found

    def share(self, index: int) -> Share:
        """Take a share's value; its index follows from whom it was made for."""
        try:
            return Share(index, self.number(VALUE_BYTES))
        except SharingError as error:
            raise MaskingFormatError(str(error)) from None

    def view(self, length: int) -> memoryview:
        """Take so many bytes, without a copy of them."""
        place = self._place
        self._skip(length)
        return memoryview(self._data)[place : self._place]

    def done(self) -> None:
        """Refuse bytes behind the end."""
        left = len(self._data) - self._place
        if left:
            raise MaskingFormatError(f"{left} bytes too many")

    def _skip(self, length: int) -> None:
        if len(self._data) - self._place < length:
            raise MaskingFormatError(f"it ends at byte {len(self._data)}, in the middle of a field")
        self._place += length


def refuse_disorder(indices: Iterable[int]) -> None:
    """Refuse indices that do not ascend: one order, no client twice. Raises MaskingFormatError."""
    last = 0
    for index in indices:
        if index <= last:
            raise MaskingFormatError(f"the clients are not in ascending order: {index} after {last}")
        last = index
