"""The life of a session."""

from enum import StrEnum


class SessionStatus(StrEnum):
    """Whether a session may be used. Only an active one may, until it expires; the way back is closed."""

    ACTIVE = "active"
    REVOKED = "revoked"
