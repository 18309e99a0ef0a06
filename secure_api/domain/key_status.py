"""The life of a key."""

from enum import StrEnum


class KeyStatus(StrEnum):
    """Whether a key may sign. Only an active one may; the way back is closed."""

    ACTIVE = "active"
    ROTATED = "rotated"
    REVOKED = "revoked"
