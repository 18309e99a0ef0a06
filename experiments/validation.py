"""Whether the parts of an experiment fit each other, found out before anything is measured."""

from collections.abc import Collection
from typing import Final

from experiments.errors import DefinitionError
from experiments.experiment import Experiment, Finding, Round
from experiments.scale import SCALES

#: What stands for every reading while a formula is tried.
PLACEHOLDERS: Final = (1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0)


class Rehearsal(Round):
    """A round in which nothing was measured: it refuses arms that there are not, and gives a placeholder for others."""

    __slots__ = ("_asked", "_finding", "_known", "_where")

    def __init__(self, where: str, finding: Finding, known: Collection[str]) -> None:
        super().__init__({}, finding.quantity)
        self._where, self._finding, self._known, self._asked = where, finding, known, 0

    def __getitem__(self, key: str | tuple[str, str]) -> float:
        """Give a placeholder. Raises DefinitionError for an arm of no scale."""
        arm = key if isinstance(key, str) else key[0]
        if arm not in self._known:
            raise DefinitionError(
                f"{self._where}: finding {self._finding.name} needs arm {arm!r:.80}, and there is none"
            )
        self._asked += 1
        return PLACEHOLDERS[self._asked % len(PLACEHOLDERS)]


def validate(experiment: Experiment) -> None:
    """Build the arms of each scale, and try every formula and reference on their names.

    An arm that only one scale has is known to both. Raises DefinitionError.
    """
    where = f"experiment {experiment.name}"
    known = {arm.name for scale in SCALES.values() for arm in experiment.arms_at(scale)}
    for finding in experiment.findings:
        try:
            float(finding.formula(Rehearsal(where, finding, known)))
        except DefinitionError:
            raise
        except (ArithmeticError, ValueError):
            pass  # placeholders are no measurements
        except Exception as error:  # whatever the author of a suite got wrong
            raise DefinitionError(f"{where}: finding {finding.name}: {type(error).__name__}: {error}") from error
    for figure in experiment.published:
        if figure.arm not in known:
            raise DefinitionError(f"{where}: a published figure is of arm {figure.arm!r:.80}, and there is none")
