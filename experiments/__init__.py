"""What every protection costs, measured so that somebody else can measure it again."""

from experiments.errors import (
    ArmFailed,
    CheckFailed,
    DefinitionError,
    ExperimentError,
    FiguresStale,
    NotTheSameRun,
    ResultUnreadable,
    TimerFault,
    Unavailable,
)
from experiments.experiment import Arm, Experiment, Finding, Plot, Published, Round
from experiments.scale import FULL, QUICK, SCALES, Scale
from experiments.subject import Operation, Reading, Setting, Subject

__all__ = [
    "FULL",
    "QUICK",
    "SCALES",
    "Arm",
    "ArmFailed",
    "CheckFailed",
    "DefinitionError",
    "Experiment",
    "ExperimentError",
    "FiguresStale",
    "Finding",
    "NotTheSameRun",
    "Operation",
    "Plot",
    "Published",
    "Reading",
    "ResultUnreadable",
    "Round",
    "Scale",
    "Setting",
    "Subject",
    "TimerFault",
    "Unavailable",
]
