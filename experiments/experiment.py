"""An experiment: one file in `experiments/suites/` that names one of these `EXPERIMENT`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from experiments.errors import DefinitionError
from experiments.scale import Scale, ScaleName
from experiments.subject import Setting, Subject

NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
REFERENCE: Final = re.compile(r"\{([^{}]*)\}")
Factors = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of doing the thing.

    `prepare` is called in a process of the runner's that has imported the suite's file; it may raise Unavailable. Arms
    with the same `process` live in one process; give an arm its own where state or the GIL would mix.
    """

    name: str  # unique in its experiment
    prepare: Callable[[Setting], Subject]
    factors: Factors = field(default_factory=dict)  # what tells it from the others: {"algorithm": "ml-dsa-65"}
    process: str = "main"


class Round:
    """The readings of one round, for a finding's formula: `r["arm"]` is the finding's quantity of that arm.

    `r["arm", "sent_bytes"]` is another quantity of it. Raises KeyError for an arm that was not measured.
    """

    __slots__ = ("_quantity", "_values")

    def __init__(self, values: Mapping[str, Mapping[str, float]], quantity: str) -> None:
        self._values, self._quantity = values, quantity

    def __getitem__(self, key: str | tuple[str, str]) -> float:
        arm, quantity = (key, self._quantity) if isinstance(key, str) else key
        return self._values[arm][quantity]


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure computed round by round from the arms of the same round, so that a slow minute hits all of it.

    `says` is a sentence with `{value}` where the figure and its interval go. A ratio whose interval holds 1 is reported
    as `otherwise` instead. A finding whose arms were not measured is left out.
    """

    name: str  # unique in its experiment
    formula: Callable[[Round], float]
    says: str
    kind: Literal["ratio", "amount"] = "ratio"
    unit: str = ""  # of an amount: "us", "B", "requests"
    quantity: str = "cpu"  # what `r["arm"]` stands for
    headline: bool = True  # belongs into the summary, and decides with the others when a run may end
    otherwise: str = "No difference shown ({value})."


@dataclass(frozen=True, slots=True)
class Published:
    """A figure that somebody else has published for the same thing."""

    arm: str
    figure: float
    unit: Literal["us", "cycles", "bytes"]
    quantity: str  # "wall", "cpu", or an extra such as "signature_bytes"
    source: str  # who, where, when
    machine: str = ""
    hertz: float | None = None  # clock of that machine: ours is scaled by it; for cycles, ours is used
    reason: str = ""  # why ours may differ by more than a factor of 2; empty: none is known


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of the arms whose factors match `where`.

    `dots`: one row an arm (or a value of `x`), a dot and its interval. `lines`: `x` is a number, one line for a value
    of `color`. `stack`: bars made of the values of `color`, one bar for each value of `x`.
    """

    kind: Literal["dots", "lines", "stack"]
    title: str
    quantity: str = "cpu"
    x: str | None = None  # a factor; None: the arm's name
    color: str | None = None  # a factor
    panel: str | None = None  # a factor: one panel for each of its values
    where: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    log: bool = False  # the axis of the quantity
    log_x: bool = False
    unit: str = "us"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A question, the arms that answer it, and how the answer is told. Raises DefinitionError when it does not hold.

    `answer` is the sentence (or two) that the result answers the question with; `{name}` in it stands for the figure of
    the finding of that name.
    """

    name: str
    title: str
    question: str
    topic: int  # number in the list of topics
    held_fixed: tuple[str, ...]
    arms: Callable[[Scale], Sequence[Arm]]
    findings: tuple[Finding, ...]
    answer: str
    unit: str = "us of CPU time an operation"
    checked: str = ""  # in words: what the correctness check of every arm shows before a time counts
    baseline: str | None = None  # the arm that tables set the others beside
    published: tuple[Published, ...] = ()
    plots: tuple[Plot, ...] = ()
    seconds: Mapping[ScaleName, float] = field(default_factory=lambda: {"quick": 15, "full": 120})  # time budget

    def __post_init__(self) -> None:
        """Refuse what could not be run or reported."""
        if not NAME.fullmatch(self.name):
            raise DefinitionError(f"experiment {self.name!r}: a name is lower-case words joined by hyphens")
        for text in ("title", "question", "answer"):
            if not getattr(self, text).strip():
                raise DefinitionError(f"experiment {self.name}: {text} is empty")
        if not 1 <= self.topic <= 35:
            raise DefinitionError(f"experiment {self.name}: topic is {self.topic}, and there are topics 1 to 35")
        names = [finding.name for finding in self.findings]
        if not names or len(set(names)) != len(names):
            raise DefinitionError(f"experiment {self.name}: it needs findings, each with a name of its own")
        for finding in self.findings:
            if "{value}" not in finding.says:
                raise DefinitionError(f"experiment {self.name}: finding {finding.name} says no {{value}}")
        for reference in REFERENCE.findall(self.answer):
            if reference not in names:
                raise DefinitionError(f"experiment {self.name}: the answer names no finding: {{{reference}}}")
        if set(self.seconds) != {"quick", "full"} or min(self.seconds.values()) <= 0:
            raise DefinitionError(f"experiment {self.name}: seconds holds a budget for quick and one for full")

    def arms_at(self, scale: Scale) -> tuple[Arm, ...]:
        """Build the arms of a scale. Raises DefinitionError: no arms, a name twice, a baseline that is not there."""
        arms = tuple(self.arms(scale))
        names = [arm.name for arm in arms]
        if not names or len(set(names)) != len(names):
            raise DefinitionError(f"experiment {self.name}: it needs arms, each with a name of its own")
        if self.baseline is not None and self.baseline not in names:
            raise DefinitionError(f"experiment {self.name}: there is no arm {self.baseline!r} to be the baseline")
        return arms
