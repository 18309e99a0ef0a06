"""The figures in README and docs are those of the newest committed result."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.figures.tables import TABLES
from experiments.markdown import blocks, check_figures, committed_result, documents

ROOT = Path(__file__).parents[2]


def test_the_figures_of_every_document_are_those_of_the_newest_result() -> None:
    pages = documents(ROOT)
    result = committed_result(ROOT)
    if result is None:
        assert [f"{block.path.name}: {block.name}" for block in blocks(pages) if block.text] == []
        pytest.skip("no result is committed, and no document shows figures")
    check_figures(result, pages)


def test_every_block_has_figures_to_show() -> None:
    assert {block.name for block in blocks(documents(ROOT))} <= TABLES.keys()
