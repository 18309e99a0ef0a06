"""The result of a run: what is in `result.json`. The schema of this file is published and has a version."""

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

SCHEMA: Final = "secure-api-experiments"
SCHEMA_VERSION: Final = 1


class Part(BaseModel):
    """A frozen part of a result; an unknown field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(Part):
    """One window of one arm: what the runner measured, untouched. Nothing is discarded."""

    round: int = Field(ge=1, description="Number of the round; all arms of a round were measured one after the other.")
    place: int = Field(ge=0, description="Place of the arm in the random order of its round.")
    loops: int = Field(ge=1, description="Operations in the window.")
    cpu: FiniteFloat = Field(ge=0, description="Microseconds of CPU time, user and system, per operation.")
    wall: FiniteFloat = Field(ge=0, description="Microseconds of wall time per operation.")
    load: FiniteFloat = Field(ge=0, description="Load average (one minute) just before the window.")
    extra: dict[str, FiniteFloat] = Field(default={}, description="Other quantities by name.")


class ArmResult(Part):
    """One arm and all of its samples."""

    name: str
    factors: dict[str, str | int]
    process: str
    unavailable: str | None = Field(default=None, description="Why it could not be measured here.")
    samples: list[Sample] = []


class FindingResult(Part):
    """A figure: the median over rounds, and its bootstrap 95 % interval."""

    name: str
    sentence: str
    kind: Literal["ratio", "amount"]
    unit: str
    quantity: str
    headline: bool
    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    shown: bool = Field(description="False for a ratio whose interval holds 1: no difference was shown.")


class PublishedFigure(Part):
    """Somebody else's figure for one of the arms."""

    arm: str
    figure: FiniteFloat
    unit: Literal["us", "cycles", "bytes"]
    quantity: str
    source: str
    machine: str
    hertz: FiniteFloat | None
    reason: str


class PlotSpec(Part):
    """What a picture of this experiment shows; see `experiments.experiment.Plot`."""

    kind: Literal["dots", "lines", "stack"]
    title: str
    quantity: str
    x: str | None
    color: str | None
    panel: str | None
    where: dict[str, list[str | int]]
    log: bool
    log_x: bool
    unit: str


class ExperimentResult(Part):
    """One experiment: its question, its samples and what they answer."""

    name: str
    title: str
    question: str
    topic: int
    unit: str
    held_fixed: list[str]
    checked: str
    baseline: str | None
    answer: str
    started: AwareDatetime
    finished: AwareDatetime
    rounds: int
    ended_because: Literal["intervals are narrow enough", "time budget", "most rounds"]
    arms: list[ArmResult]
    findings: list[FindingResult]
    published: list[PublishedFigure]
    plots: list[PlotSpec]
    warnings: list[str] = []


class Environment(Part):
    """Where and with what it was measured."""

    cpu: str
    cpu_flags: list[str]
    cores: int
    hertz: FiniteFloat | None = Field(description="Nominal clock of a core; null: unknown.")
    governor: str | None
    memory_bytes: int
    system: str
    python: str
    libraries: dict[str, str] = Field(description="Version of every Python distribution that took part.")
    native: dict[str, str] = Field(description="Version of every native library and server that took part.")
    revision: str | None = Field(description="Git commit of the sources; null: not a checkout.")
    dirty: bool | None = Field(description="Whether the sources differ from that commit.")
    load_before: FiniteFloat
    load_during: list[FiniteFloat] = Field(description="Median and maximum of the load average before each window.")
    pinned: dict[str, int] = Field(default={}, description="Core that servers and load generators were kept on.")
    pyperf: dict[str, Any] = Field(default={}, description="What pyperf collects about a machine.")


class Result(Part):
    """A whole run."""

    schema_name: Annotated[Literal["secure-api-experiments"], Field(alias="schema")] = SCHEMA
    schema_version: Literal[1] = SCHEMA_VERSION
    product: str = Field(description="Version of secure-api.")
    scale: Literal["quick", "full"]
    seed: int
    command: str
    started: AwareDatetime
    finished: AwareDatetime
    environment: Environment
    experiments: list[ExperimentResult]
    warnings: list[str] = []
