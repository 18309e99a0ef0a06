"""The signature profile: what every signature of secure-api covers and carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

COMPONENTS: Final = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")
TAG: Final = "secure-api"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a signature must be. Times in seconds, nonce lengths in characters, sizes in bytes of a whole field."""

    tag: str = TAG
    components: tuple[str, ...] = COMPONENTS
    max_window: int = 300
    clock_skew: int = 5
    max_labels: int = 4
    max_field_bytes: int = 16_384
    nonce_min: int = 8
    nonce_max: int = 128
    covered: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the components as a set too."""
        object.__setattr__(self, "covered", frozenset(self.components))
