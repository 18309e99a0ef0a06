"""How much a run measures."""

from dataclasses import dataclass
from typing import Final, Literal

ScaleName = Literal["quick", "full"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How long and how wide: `quick` shows that everything works, `full` is for figures that somebody quotes."""

    name: ScaleName
    window: float  # seconds that one arm is measured in one round, at least one operation
    rounds: int  # the fewest rounds
    most_rounds: int
    width: float  # a round more while a headline's 95 % interval is wider than this share of its value, on each side
    requests: int  # requests of a server's arm in one window
    wide: bool  # every algorithm and size, or those that stand for the rest


QUICK: Final = Scale(name="quick", window=0.002, rounds=5, most_rounds=7, width=0.05, requests=60, wide=False)
FULL: Final = Scale(name="full", window=0.05, rounds=15, most_rounds=60, width=0.02, requests=1000, wide=True)
SCALES: Final = {scale.name: scale for scale in (QUICK, FULL)}
