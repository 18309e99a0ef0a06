"""The table of settings in docs/operations.md, made from the settings themselves.

`python -m tests.docs.settings_table` writes it anew.
"""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from pydantic_core import PydanticUndefined

from secure_api.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def settings_table() -> str:
    """The table as it should stand between the markers."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `SECURE_API_{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows)


def page_with_table(page: str) -> str:
    """The page with the table between the markers."""
    return re.sub(
        f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{settings_table()}\n{END}", page, flags=re.DOTALL
    )


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "the user's data folder"
    if value is None:
        return ""
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, frozenset):
        return "all" if value else "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
