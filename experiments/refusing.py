"""Operations that must refuse: verifying a signature, opening what was sealed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from experiments.errors import CheckFailed
from experiments.subject import Operation


class Inputs:
    """What an operation is given, in turn and without end: `next(inputs.following)` in the operation."""

    __slots__ = ("_items", "following")

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = tuple(items)
        self.following: Iterator[Any] = cycle(self._items)

    @contextmanager
    def only(self, item: Any) -> Iterator[None]:
        """Give nothing but `item` for a while, and then begin anew."""
        self.following = cycle((item,))
        try:
            yield
        finally:
            self.following = cycle(self._items)


@dataclass(slots=True, kw_only=True)
class RefusingOperation(Operation):
    """An operation on `inputs` that must raise a `refusal` for each of `forged`, whose keys say what is wrong with it.

    The check gives them to the very call that is timed, so one that skips its work does not pass.
    """

    inputs: Inputs
    refusal: type[Exception]
    forged: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Run the operation once and look at its result; then see that it refuses every forgery."""
        Operation.check(self)
        for what, item in self.forged.items():
            with self.inputs.only(item):
                try:
                    self.call()
                except self.refusal:
                    continue
                except Exception as error:
                    raise CheckFailed(f"{what} is not refused, but {type(error).__name__}: {error}") from error
            raise CheckFailed(f"{what} is accepted")
