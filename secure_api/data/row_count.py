"""How many rows a statement touched."""

from typing import Any, cast

from sqlalchemy.engine import CursorResult, Result


def row_count(result: Result[Any]) -> int:
    """Give the number of rows that an INSERT, UPDATE or DELETE touched.

    `AsyncSession.execute` is typed for every statement; for these it returns a `CursorResult`.
    """
    return cast("CursorResult[Any]", result).rowcount
