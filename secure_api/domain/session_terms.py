"""What a server grants every session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """Limits of one session, as the settings give them; times in seconds."""

    lifetime: int = 3_600
    idle_timeout: int = 600
    max_requests: int = 100_000
    max_bytes: int = 1 << 30  # of request and response bodies together
    max_per_client: int = 64
