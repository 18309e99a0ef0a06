"""The settings of sessions and of sealed bodies; `Settings` has them among its own."""

from pydantic import Field
from pydantic_settings import BaseSettings

from secure_api.domain.session_terms import SessionTerms


class SessionSettings(BaseSettings):
    """What every session is granted, and how long a sealing key lives."""

    session_lifetime: int = Field(default=3_600, ge=10, le=86_400, description="Seconds that a session lives at most.")
    session_idle_timeout: int = Field(
        default=600, ge=20, le=86_400, description="Seconds without a request after which a session is over."
    )
    session_max_requests: int = Field(
        default=100_000, ge=1, le=10_000_000, description="Requests within one session at most."
    )
    session_max_bytes: int = Field(
        default=1 << 30, ge=1 << 20, le=1 << 36, description="Bytes of all bodies within one session at most."
    )
    session_max_per_client: int = Field(
        default=64, ge=1, le=10_000, description="Sessions of one client at a time; the oldest make room."
    )
    sealing_key_lifetime: int = Field(
        default=86_400,
        ge=600,
        le=30 * 86_400,
        description="Seconds until the key that bodies are sealed to is replaced.",
    )

    def session_terms(self) -> SessionTerms:
        """Give what every session is granted."""
        return SessionTerms(
            lifetime=self.session_lifetime,
            idle_timeout=self.session_idle_timeout,
            max_requests=self.session_max_requests,
            max_bytes=self.session_max_bytes,
            max_per_client=self.session_max_per_client,
        )
