"""Every error that leaves the `anomaly` package.

AnomalyError
├── EventError          an event, a log line or a setting is not what it must be
├── StateError          a saved state cannot be restored
│   ├── StateCorrupt    truncated, too large, or not this format
│   ├── StateForeign    another version, schema or list of features
│   └── StateUntrusted  its signature does not hold
└── LibraryMissing      a library of the extra `behavior` is not installed
"""


class AnomalyError(Exception):
    """Something in behavior analysis went wrong."""


class EventError(AnomalyError):
    """An event, a log line or a setting is not what it must be."""


class StateError(AnomalyError):
    """A saved state cannot be restored."""


class StateCorrupt(StateError):
    """The bytes are truncated, too large, or not this format at all."""


class StateForeign(StateError):
    """The state was written by another version, schema or list of features."""


class StateUntrusted(StateError):
    """The signature of the state does not hold."""


class LibraryMissing(AnomalyError):
    """A library of the extra `behavior` is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(f"{library} is missing: install secure-api[behavior].")
