"""docs/operations.md and docs/problems.md say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from secure_api.api.error_map import ANSWERS
from secure_api.domain import errors
from secure_api.domain.errors import DomainError
from tests.docs.settings_table import PAGE, page_with_table

PROBLEMS = Path(__file__).parents[2] / "docs" / "problems.md"


def test_every_setting_is_described() -> None:
    page = PAGE.read_text()
    assert page == page_with_table(page), "run: python -m tests.docs.settings_table"


def test_every_problem_is_listed_with_its_status() -> None:
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", PROBLEMS.read_text(), re.MULTILINE))
    for kind, answer in ANSWERS.items():
        if answer.status != 500:
            assert listed.get(kind.slug) == str(int(answer.status)), kind
    slugs = {kind.slug for kind in ANSWERS} | {kind.slug for kind in _subclasses(DomainError)}
    assert set(listed) - slugs == {"method-not-allowed"}


def _subclasses(kind: type[DomainError]) -> set[type[DomainError]]:
    assert errors.DomainError is DomainError
    found = set(kind.__subclasses__())
    return found | {deeper for child in found for deeper in _subclasses(child)}
