"""Problem documents (RFC 9457) as the server sends them."""

import json
from dataclasses import dataclass, field
from typing import Any, Final, Self

MEDIA_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 20  # findings that are kept of one problem


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: `type` names the kind, `errors` the places."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: tuple[dict[str, Any], ...] = field(default=())

    @classmethod
    def parse(cls, content_type: str, body: bytes) -> Self | None:
        """Read a response's problem; None when the response holds none."""
        if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
            return None
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or not isinstance(document.get("status"), int):
            return None
        found = document.get("errors")
        return cls(
            type=str(document.get("type", "about:blank")),
            title=str(document.get("title", "")),
            status=document["status"],
            detail=_text(document.get("detail")),
            instance=_text(document.get("instance")),
            errors=tuple(item for item in found if isinstance(item, dict))[:MAX_ERRORS]
            if isinstance(found, list)
            else (),
        )

    def lines(self) -> list[str]:
        """Say it to a person: the sentence, then one line a place; nothing is said twice."""
        findings = [_finding(error) for error in self.errors]
        said = self.detail is None or any(error.get("detail") == self.detail for error in self.errors)
        return [self.title if said else f"{self.title}: {self.detail}", *findings]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _finding(error: dict[str, Any]) -> str:
    place = error.get("parameter") or error.get("pointer") or "the document"
    detail = error.get("detail", "is not valid")
    if "line" in error and "column" in error:
        at = f"(line {error['line']}, column {error['column']})"
        detail = detail if at in str(detail) else f"{detail} {at}"
    return f"  {place}: {detail}"
