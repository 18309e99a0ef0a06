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
#: The largest integer that canonical JSON (RFC 8785) can hold.
LARGEST: Final = 2**53 - 1
Factors = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of doing the thing.

    `prepare` is called in a process of the runner's that has imported the suite's file; it may raise Unavailable. Arms
    with the same `process` live in one process; give an arm its own where state or the GIL would mix. Raises
    DefinitionError for what no result could hold: a name that cannot be printed, a factor that is no text or integer.
    """

    name: str  # unique in its experiment
    prepare: Callable[[Setting], Subject]
    factors: Factors = field(default_factory=dict)  # what tells it from the others: {"algorithm": "ml-dsa-65"}
    process: str = "main"

    def __post_init__(self) -> None:
        """Refuse what could not be measured or written down."""
        for what, text in (("name", self.name), ("process", self.process)):
            if not _printable(text):
                raise DefinitionError(f"arm {self.name!r:.80}: its {what} is no text that can be printed")
        if not callable(self.prepare):
            raise DefinitionError(f"arm {self.name}: what prepares it cannot be called")
        if not isinstance(self.factors, Mapping):
            raise DefinitionError(f"arm {self.name}: its factors are no mapping")
        for name, value in self.factors.items():
            if not _printable(name):
                raise DefinitionError(
                    f"arm {self.name}: the name of factor {name!r:.80} is no text that can be printed"
                )
            if not (_printable(value) or (type(value) is int and abs(value) <= LARGEST)):
                raise DefinitionError(
                    f"arm {self.name}: factor {name} is {value!r:.80}, neither text that can be printed "
                    "nor an integer below 2^53"
                )


class NotMeasured(KeyError):
    """An arm of a formula was not measured in a round: the finding is left out of it."""


class Round:
    """The readings of one round, for a finding's formula: `r["arm"]` is the finding's quantity of that arm.

    `r["arm", "sent_bytes"]` is another quantity of it. Raises NotMeasured for an arm that was not measured,
    DefinitionError for a quantity that an arm which was measured does not have.
    """

    __slots__ = ("_quantity", "_values")

    def __init__(self, values: Mapping[str, Mapping[str, float]], quantity: str) -> None:
        self._values, self._quantity = values, quantity

    def __getitem__(self, key: str | tuple[str, str]) -> float:
        arm, quantity = (key, self._quantity) if isinstance(key, str) else key
        if (measured := self._values.get(arm)) is None:
            raise NotMeasured(arm)
        if quantity not in measured:
            raise DefinitionError(f"arm {arm} measures no {quantity!r:.80}, but {', '.join(sorted(measured))}")
        return measured[quantity]


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
        for text in (self.title, self.question, self.answer, self.unit, self.checked, *self.held_fixed):
            if text and not _printable(text):
                raise DefinitionError(f"experiment {self.name}: {text!r:.80} holds what cannot be printed in a line")
        names = [finding.name for finding in self.findings]
        if not names or len(set(names)) != len(names):
            raise DefinitionError(f"experiment {self.name}: it needs findings, each with a name of its own")
        for finding in self.findings:
            for text in (finding.name, finding.says, finding.otherwise):
                if not _printable(text):
                    raise DefinitionError(
                        f"experiment {self.name}: {text!r:.80} of a finding holds what cannot be printed in a line"
                    )
            if "{value}" not in finding.says:
                raise DefinitionError(f"experiment {self.name}: finding {finding.name} says no {{value}}")
        for reference in REFERENCE.findall(self.answer):
            if reference not in names:
                raise DefinitionError(f"experiment {self.name}: the answer names no finding: {{{reference}}}")
        if set(self.seconds) != {"quick", "full"} or min(self.seconds.values()) <= 0:
            raise DefinitionError(f"experiment {self.name}: seconds holds a budget for quick and one for full")

    def arms_at(self, scale: Scale) -> tuple[Arm, ...]:
        """Build the arms of a scale.

        Raises DefinitionError: no arms, what is no Arm, a name twice, a baseline that is not there.
        """
        try:
            built: tuple[object, ...] = tuple(self.arms(scale))
        except DefinitionError:
            raise
        except Exception as error:  # whatever the author of a suite got wrong
            raise DefinitionError(
                f"experiment {self.name}: its arms cannot be built: {type(error).__name__}: {error}"
            ) from error
        arms = tuple(arm for arm in built if isinstance(arm, Arm))
        if odd := [arm for arm in built if not isinstance(arm, Arm)]:
            raise DefinitionError(f"experiment {self.name}: {odd[0]!r:.80} is no Arm")
        names = [arm.name for arm in arms]
        if not names or len(set(names)) != len(names):
            raise DefinitionError(f"experiment {self.name}: it needs arms, each with a name of its own")
        if self.baseline is not None and self.baseline not in names:
            raise DefinitionError(f"experiment {self.name}: there is no arm {self.baseline!r} to be the baseline")
        return arms


def _printable(text: object) -> bool:
    """Tell whether something is text that a line of a terminal, a table and a result can hold."""
    return isinstance(text, str) and text != "" and text.isprintable()
