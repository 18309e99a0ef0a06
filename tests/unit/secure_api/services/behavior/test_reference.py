"""The second opinion in the service: a real process, and whatever happens to it harms nobody."""

from __future__ import annotations

from random import Random

import pytest
from structlog.testing import capture_logs

from anomaly.features import FEATURES
from anomaly.reference import LEAST
from secure_api.services.behavior.reference import Reference

pytestmark = pytest.mark.anyio


def shown(made: Reference, rows: int = LEAST, *, blind: bool = False) -> None:
    """Show it rows about a middle: the farther from it, the more unusual, to the model, too, unless that is blind."""
    random = Random(1)
    for number in range(rows):
        away = min(0.5, abs(random.gauss(0, 0.1)))
        value = random.random() if blind else 4 * away
        made.note(f"client-{number % 8}", value, [0.5 + random.choice((-away, away)) for _ in FEATURES])


async def test_the_second_sample_is_judged_by_the_first() -> None:
    made = Reference(Random(1))
    shown(made)
    made.turn()
    assert await made.consult() is None
    shown(made)
    made.turn()
    with capture_logs() as logs:
        opinion = await made.consult()
    assert opinion is not None
    assert (opinion.rows, opinion.agreement > 0.5) == (LEAST, True)
    assert [(line["log_level"], line["overlooked"]) for line in logs] == [("info", [])]
    assert await made.consult() is None


async def test_a_model_that_has_gone_blind_is_told_of() -> None:
    made = Reference(Random(1))
    for _ in range(2):
        shown(made, 1_024, blind=True)
        made.turn()
    with capture_logs() as logs:
        opinion = await made.consult()
    assert opinion is not None
    assert abs(opinion.agreement) < 0.1
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "the model of behavior and its reference disagree")
    ]


async def test_too_few_rows_wait_for_more() -> None:
    made = Reference(Random(1))
    for _ in range(3):
        shown(made, LEAST // 2 - 1)
        made.turn()
    assert await made.consult() is None


async def test_a_process_that_fails_is_a_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Reference(Random(1), deadline=0.01)
    for _ in range(2):
        shown(made)
        made.turn()
    with capture_logs() as logs:
        assert await made.consult() is None
    assert [line["reason"] for line in logs] == ["The reference did not answer within 0.01 seconds."]
    shown(made)
    made.turn()
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with capture_logs() as logs:
        assert await made.consult() is None
    assert [line["reason"] for line in logs] == ["No process could be started for the reference."]
