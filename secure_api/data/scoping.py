"""The one way to query on behalf of a caller.

A repository that serves callers derives from `ScopedRepository` and builds its statements with `select_own`: the
organization filter is then in every statement, and cannot be forgotten. Statements that must look across
organizations say so, with the reason, by the decorator `across_organizations`. A test walks the syntax tree of every
module and fails on a statement that does neither.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from secure_api.domain.caller import Caller


class Owned(Protocol):
    """A table whose rows belong to an organization."""

    organization_id: Any


OwnedT = TypeVar("OwnedT", bound=Owned)
CallableT = TypeVar("CallableT", bound=Callable[..., Any])


class ScopedRepository:
    """Repository bound to one session and one caller."""

    def __init__(self, session: AsyncSession, caller: Caller) -> None:
        self._session = session
        self._caller = caller

    def select_own(self, model: type[OwnedT]) -> Select[OwnedT]:
        """Start a SELECT of `model` that sees only the caller's organization."""
        return select(model).where(model.organization_id == self._caller.organization_id)

    def select_own_columns(self, model: type[OwnedT], *columns: InstrumentedAttribute[Any]) -> Select[Any]:
        """Start a SELECT of some columns of `model` that sees only the caller's organization."""
        return select(*columns).where(model.organization_id == self._caller.organization_id)


def across_organizations(reason: str) -> Callable[[CallableT], CallableT]:
    """Mark a query that is not made for one organization's view, and say why.

    Raises:
        TypeError: no reason given.
    """
    if not reason.strip():
        raise TypeError("a query across organizations needs a reason")

    def mark(function: CallableT) -> CallableT:
        return function  # the lint test reads the decorator in the source; nothing to do at run time

    return mark
