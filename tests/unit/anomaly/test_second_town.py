"""What was tuned on one generator finds the attacks of another, too."""

from __future__ import annotations

from anomaly.evaluate import evaluate
from anomaly.event import Pseudonyms
from anomaly.labelled_log import read
from tests.unit.anomaly.second_town import KINDS, town


def test_the_attacks_of_a_generator_that_nothing_was_tuned_on_stand_out() -> None:
    lines = list(read(town(1), Pseudonyms(bytes(16))))
    assert [line.problem for line in lines if line.problem is not None] == []
    rows = [line.row for line in lines if line.row is not None]
    assert {row.attack for row in rows} == {"", *KINDS}
    assert len({row.incident for row in rows if row.attack}) == 2 * len(KINDS)
    assert list(town(1)) == list(town(1)), "the same day each time"
    found = evaluate(rows)
    assert found.auc > 0.9
    assert found.ap > 0.7
    assert found.found > 0.5
    assert found.false_episodes < 6
