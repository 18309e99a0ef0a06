"""Where a masked study is: its stages, and since when the present one lasts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class MaskedStage(StrEnum):
    """What clients send in each stage of a masked study, in this order."""

    ADVERTISEMENT = "advertisement"
    SHARING = "sharing"
    CONTRIBUTION = "contribution"
    CONFIRMATION = "confirmation"
    REVEAL = "reveal"

    @property
    def following(self) -> MaskedStage | None:
        """The stage after this one; None after the last."""
        stages = list(MaskedStage)
        place = stages.index(self) + 1
        return stages[place] if place < len(stages) else None

    @property
    def before(self) -> MaskedStage | None:
        """The stage before this one; None before the first."""
        place = list(MaskedStage).index(self)
        return list(MaskedStage)[place - 1] if place else None


@dataclass(frozen=True, slots=True)
class MaskedProgress:
    """The present stage, and since when (POSIX seconds) it lasts."""

    stage: MaskedStage
    since: int

    def to_bytes(self) -> bytes:
        """Write it as JSON."""
        return json.dumps({"stage": self.stage.value, "since": self.since}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote; of nothing, the first stage."""
        if not content:
            return cls(MaskedStage.ADVERTISEMENT, 0)
        members = json.loads(content)
        return cls(MaskedStage(members["stage"]), members["since"])
