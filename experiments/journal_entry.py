"""The lines of a run's journal."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from experiments.errors import NotTheSameRun
from experiments.result import ArmResult, Environment, ExperimentResult, Part, Sample


class Head(Part):
    """What was to be measured, of what, and where: a run goes on only when all of it is the same."""

    kind: Literal["head"] = "head"
    scale: Literal["quick", "full"]
    seed: int
    experiments: list[tuple[str, str]] = Field(description="Source and name of each.")
    sources: str = Field(description="Digest of the sources that take part.")
    started: AwareDatetime
    command: str
    environment: Environment

    def refuse(self, other: "Head") -> None:
        """Raise NotTheSameRun unless the other run may go on where this one stopped."""
        ours, theirs = self.environment, other.environment
        pairs = {
            "scale": (self.scale, other.scale),
            "seed": (self.seed, other.seed),
            "experiments": (_names(self.experiments), _names(other.experiments)),
            "revision": (ours.revision, theirs.revision),
            "Python": (ours.python, theirs.python),
            "CPU": (f"{ours.cores} x {ours.cpu}", f"{theirs.cores} x {theirs.cpu}"),
            **_versions("library", ours.libraries, theirs.libraries),
            **_versions("native library", ours.native, theirs.native),
            "sources": (self.sources[:12], other.sources[:12]),
        }
        different = [f"{what} was {then}, is {now}" for what, (then, now) in pairs.items() if then != now]
        if different:
            raise NotTheSameRun(f"this run cannot go on: {'; '.join(different)}")


class Begun(Part):
    """An experiment was prepared and checked."""

    kind: Literal["begun"] = "begun"
    experiment: str
    started: AwareDatetime
    arms: list[ArmResult]


class RoundDone(Part):
    """A round of an experiment: one sample of each arm, and the seconds that the experiment has taken so far."""

    kind: Literal["round"] = "round"
    experiment: str
    number: int
    seconds: float
    samples: dict[str, Sample]


class Void(Part):
    """What was measured of an experiment does not count: a check failed."""

    kind: Literal["void"] = "void"
    experiment: str


class Finished(Part):
    """An experiment is measured and evaluated."""

    kind: Literal["finished"] = "finished"
    result: ExperimentResult


Entry = Annotated[Head | Begun | RoundDone | Void | Finished, Field(discriminator="kind")]
ENTRY: Final[TypeAdapter[Entry]] = TypeAdapter(Entry)


def _names(experiments: Sequence[tuple[str, str]]) -> str:
    return " ".join(name for _, name in experiments)


def _versions(what: str, then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {f"{what} {name}": (then.get(name), now.get(name)) for name in sorted({*then, *now})}
