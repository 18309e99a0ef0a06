"""One step of the demo."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, what was seen, whether that is right; `more` is a second line for what the server saw."""

    what: str
    seen: str
    right: bool
    more: str = ""
