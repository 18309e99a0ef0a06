"""What goes wrong in an experiment.

ExperimentError          anything that ends a command
    DefinitionError      a suite is not a valid experiment
    Unavailable          an arm needs what is not here: it is left out
    CheckFailed          an arm does not do what it is timed for
    TimerFault           the clock of an arm does not measure
    ArmFailed            an arm, or its process, ended
    ResultUnreadable     a file is no result
    NotTheSameRun        an interrupted run cannot go on here
    FiguresStale         figures in a document are not those of the result
"""


class ExperimentError(Exception):
    """Anything that ends a command of `secure-api experiments`; its text is one line for a person."""


class DefinitionError(ExperimentError):
    """A suite is not a valid experiment: names its file and what is wrong."""


class Unavailable(ExperimentError):
    """An arm needs what this machine does not have (a library, a program). It is left out, and the report says why."""


class CheckFailed(ExperimentError):
    """An arm does not do what it is timed for, so its time must not count. Nothing is reported."""


class TimerFault(ExperimentError):
    """The clock of an arm does not measure: it stands still, or does not grow with the work."""


class ArmFailed(ExperimentError):
    """An arm, or the process that it lives in, ended while it was prepared or measured."""


class ResultUnreadable(ExperimentError):
    """A file is no result of ours, or of another version of the schema, or was changed by hand."""


class NotTheSameRun(ExperimentError):
    """An interrupted run cannot go on here: revision, libraries, seed or scale are others than when it began."""


class FiguresStale(ExperimentError):
    """Figures in a document differ from the result that they are generated from."""
