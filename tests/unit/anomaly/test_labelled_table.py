"""Labelled vectors are read from whatever CSV there is, and evaluated in their order."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from anomaly.errors import EventError
from anomaly.labelled_table import read_table
from anomaly.vector_evaluation import RunningScale, evaluate_vectors


def test_the_label_is_found_by_name_or_is_the_last_column() -> None:
    named = read_table(["Label,a,b", "0,1,2", "1,3,4", "dos,5,6"])
    assert (named.columns, named.rows, named.kinds) == (
        ["a", "b"], [[1, 2], [3, 4], [5, 6]], ["", "anomaly", "dos"],
    )  # fmt: skip
    assert read_table(["a,b,service", "1,2,normal.", "3,4,1"]).kinds == ["", "anomaly"]
    chosen = read_table(["a,b,label", "1,0,7"], "a")
    assert (chosen.rows, chosen.kinds) == ([[0, 7]], ["anomaly"])


def test_a_word_becomes_the_surprise_of_it() -> None:
    table = read_table(["protocol,label", *["tcp,0"] * 50, "udp,1", "tcp,0"])
    values = [row[0] for row in table.rows]
    assert values[49] < 0.1 < 1.0 < values[50]
    assert values[51] == pytest.approx(math.log(54 / 51), abs=0.03)


def test_rows_that_are_none_are_left_out_and_told() -> None:
    table = read_table(["a,b,label", "1,2,0", "1,2", "", "x,2,0", "nan,1,0", "4,5,1"])
    assert table.rows == [[1, 2], [4, 5]]
    assert table.bad == 3
    assert [number for number, _ in table.skipped] == [3, 5, 6]


@pytest.mark.parametrize(
    "lines",
    [[], ["a"], ["1,2,3", "1,2,3"], ["a,b"], ["a,b", "1"], ["a,b," * 300], ["a,b", "1,0", "1,0", "1,0", "1,0"]],
)
def test_what_is_no_table_is_refused(lines: list[str]) -> None:
    with pytest.raises(EventError):
        read_table(lines, most=3)
    with pytest.raises(EventError, match="no column"):
        read_table(["a,b", "1,2"], "c")


def test_vectors_are_evaluated_beside_peers_with_nothing_of_the_future() -> None:
    rng = np.random.default_rng(1)
    rows = [f"{a:.3f},{b:.3f},0" for a, b in rng.normal(size=(3_000, 2))]
    for place in range(1_500, 3_000, 100):
        rows[place] = "9,-9,1"
    table = read_table(["a,b,label", *rows])
    told: list[int] = []
    ours = evaluate_vectors(table, progress=told.append)
    assert told == [0, 1_000, 2_000]
    assert ours.auc > 0.99
    assert ours.online_1 > 0.9
    assert ours.realized_1 < 0.05
    assert math.isnan(ours.found)
    assert ours.kinds == {"anomaly": ours.auc}
    assert evaluate_vectors(table, "max SAD").auc > 0.9


def test_the_running_scale_knows_nothing_of_what_comes() -> None:
    scale = RunningScale(1)
    assert [scale.place([x])[0] for x in (5.0, 7.0, 6.0, 9.0, 1.0)] == [0.0, 0.0, 0.5, 1.0, 0.0]


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity"])
def test_a_column_that_begins_with_what_is_not_finite_is_still_of_numbers(cell: str) -> None:
    table = read_table(["a,label", f"{cell},0", "5,1", "1e308,0", "-inf,0"])
    assert table.rows[-3:] == [[5.0], [1e100], [-1e100]]
    assert table.bad == (cell == "nan")


def test_labels_that_are_numbers_of_any_kind_or_stand_there_twice_are_refused() -> None:
    with pytest.raises(EventError, match=r"'b' has more than 200 different labels"):
        read_table(["a,b", *(f"1,{place / 1000}" for place in range(1, 300))])
    for label in (None, "label"):
        with pytest.raises(EventError, match="the heading has 'label' twice"):
            read_table(["a,label,label", "1,0,1"], label)
    with pytest.raises(EventError, match=r"no row of numbers: line 2: 1 cells instead of 2"):
        read_table(["a,label", "1"])


def test_of_a_short_table_the_warm_up_sets_no_threshold() -> None:
    rng = random.Random(5)
    rows = [f"{rng.gauss(8.0 * (place % 100 == 99), 1.0)},{int(place % 100 == 99)}" for place in range(1_500)]
    quality = evaluate_vectors(read_table(["a,label", *rows]))
    assert quality.auc > 0.95
    assert quality.realized_1 < 0.05  # of 256 scores of nothing, any other would stand out
    short = evaluate_vectors(read_table(["a,label", "1,0", "2,1"]))
    assert math.isnan(short.ap)
    assert math.isnan(short.auc)
