"""HTTP/1.1 requests as bytes, ready to be written."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from experiments.errors import ArmFailed


@dataclass(frozen=True, slots=True)
class Message:
    """One request: its head, the empty line included, and its body, which many requests may have in common."""

    head: bytes
    body: bytes = b""

    @classmethod
    def compose(
        cls,
        authority: str,
        path: str,
        fields: Iterable[tuple[str, str]],
        body: bytes,
        *,
        content_type: str = "application/json",
    ) -> Self:
        """Write a POST: the four fields that every arm sends, and the arm's own."""
        lines = [("host", authority), ("content-type", content_type), ("accept", "*/*")]
        lines += [("content-length", str(len(body))), *fields]
        text = "".join(f"{name}: {value}\r\n" for name, value in lines)
        return cls(f"POST {path} HTTP/1.1\r\n{text}\r\n".encode("ascii"), body)

    def __len__(self) -> int:
        """Bytes on the wire."""
        return len(self.head) + len(self.body)

    def edited(self, old: bytes, new: bytes) -> Self:
        """Replace a part of the head. Raises ArmFailed: it is not there."""
        if old not in self.head:
            raise ArmFailed(f"a request has no {old.decode('ascii', 'replace')!r}")
        return replace(self, head=self.head.replace(old, new, 1))

    def value(self, name: str) -> bytes:
        """Give the value of a field (lower-case name). Raises ArmFailed: there is none."""
        _, found, rest = self.head.partition(f"\r\n{name}: ".encode("ascii"))
        if not found:
            raise ArmFailed(f"a request has no field {name}")
        return rest.partition(b"\r\n")[0]
