"""The published schema is the one that results follow."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema_rs import validator_for

from experiments.schema import text
from experiments.storage import save
from tests.docs.experiment_schema import PUBLISHED
from tests.unit.experiments.made_result import made_result


def test_the_published_schema_is_not_stale() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == text(), "python -m tests.docs.experiment_schema"


def test_a_result_follows_it_and_an_edited_one_does_not(tmp_path: Path) -> None:
    document = json.loads(save(made_result(), tmp_path).read_text())
    published = validator_for(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    assert published.is_valid(document)
    for change in ({"schema_version": 2}, {"mood": "good"}, {"digest": "md5:0"}, {"experiments": None}):
        assert not published.is_valid(document | change), change
