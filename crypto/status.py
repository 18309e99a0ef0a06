"""How far an algorithm is on its way to a standard."""

from enum import StrEnum


class Status(StrEnum):
    """What its standard says of an algorithm today; it says nothing of whether the server allows it."""

    FINAL = "final"
    DRAFT = "draft"
    SELECTED = "selected"
    CANDIDATE = "candidate"
    NOT_SELECTED = "not selected"
