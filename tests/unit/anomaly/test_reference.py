"""The sample, the forest and what they say of a model that works, of one that does not, and of one that is blind."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
from random import Random

import numpy as np
import pytest

from anomaly.errors import AnomalyError, LibraryMissing, StateCorrupt
from anomaly.features import FEATURES
from anomaly.reference import LEAST, Opinion, judge, main, read_opinion
from anomaly.sample import Rows, Sample, read_rows
from anomaly.simulate import simulate
from anomaly.watch import Watch

WIDTH = len(FEATURES)
HOUR = 3_600.0


@pytest.fixture(scope="module")
def hours() -> list[Rows]:
    """Samples of simulated hours, as the model scored them."""
    watch, samples, until = Watch(1_000), [Sample(Random(1))], 0.0
    for item in simulate("standard", 21, days=0.5):
        until = until or item.event.time + HOUR
        if item.event.time > until:
            until += HOUR
            samples.append(Sample(Random(1)))
        seen = watch.observe(item.event)
        samples[-1].add(str(item.event.client), seen.score.value, watch.scorer.values)
    return [read_rows(sample.to_bytes())[0] for sample in samples[4:-1]]


def test_the_model_agrees_with_the_forest_and_a_broken_one_does_not(hours: list[Rows]) -> None:
    random = np.random.default_rng(1)
    pairs = list(itertools.pairwise(hours))
    ours = [judge(usual, rows) for usual, rows in pairs]
    broken = [judge(usual, rows._replace(values=random.permutation(rows.values))) for usual, rows in pairs]
    assert len(ours) >= 5
    assert min(opinion.agreement for opinion in ours) > 0.15
    assert max(opinion.agreement for opinion in broken) < 0.1
    assert np.mean([opinion.shared for opinion in ours]) > 0.5 > 0.3 > np.mean([opinion.shared for opinion in broken])
    assert all(opinion.overlooked == () for opinion in ours)
    assert ours[0] == judge(*pairs[0])


def test_a_model_that_tells_nothing_apart_agrees_with_nobody(hours: list[Rows]) -> None:
    usual, rows = hours[:2]
    assert judge(usual, rows._replace(values=np.zeros_like(rows.values))).agreement == 0.0


def test_whom_only_the_forest_finds_unusual_is_named(hours: list[Rows]) -> None:
    usual, rows = hours[:2]
    features, values, who = rows.features.copy(), rows.values.copy(), rows.who.copy()
    features[:12], values[:12], who[:12] = 1.0, 0.2, 9_999
    features[12:24], values[12:24], who[12:24] = 1.0, 3.0, 9_998  # the model has found this one, too
    features[24:28], values[24:28], who[24:28] = 1.0, 0.2, 9_997  # too few rows to say anything
    assert judge(usual, Rows(features, values, who)).overlooked == (9_999,)


def test_a_client_that_fills_the_sample_is_named_too(hours: list[Rows]) -> None:
    usual, rows = hours[:2]
    features, values, who = rows.features.copy(), rows.values.copy(), rows.who.copy()
    features[:600], values[:600], who[:600] = 1.0, 0.2, 9_999
    assert judge(usual, Rows(features, values, who)).overlooked == (9_999,)


def test_a_sample_is_bounded_and_every_row_has_the_same_chance() -> None:
    kept = np.zeros(100)
    for seed in range(400):
        sample = Sample(Random(seed), rows=10)
        for number in range(100):
            sample.add(str(number), float(number), [number / 255] * WIDTH)
        rows, rest = read_rows(sample.to_bytes())
        assert (len(sample), sample.seen, rest) == (10, 100, b"")
        names = sample.names()
        assert [names[who] for who in rows.who] == [f"{value:.0f}" for value in rows.values]
        assert np.allclose(rows.features[:, 0] * 255, rows.values, atol=1)
        kept[rows.values.astype(int)] += 1
    assert 15 < kept.min() <= kept.max() < 75  # 40 expected; four deviations are 24


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"[]\n",
        b'{"rows": 1}\n',
        b'{"rows": 1, "features": 31}\n',
        b'{"rows": -1, "features": 31}\n' + bytes(99),
        b'{"rows": true, "features": 31}\n' + bytes(99),
        b'{"rows": 1, "features": 30}\n' + bytes(99),
        b'{"rows": 1e99, "features": 31}\n' + bytes(99),
        b'{"rows": 900000, "features": 31}\n' + bytes(1 << 21),
        b"\xff\n",
    ],
)
def test_other_bytes_are_no_sample(data: bytes) -> None:
    with pytest.raises(StateCorrupt):
        read_rows(data)


def test_few_rows_and_a_missing_library_are_said(monkeypatch: pytest.MonkeyPatch, hours: list[Rows]) -> None:
    few = Rows(hours[0].features[:9], hours[0].values[:9], hours[0].who[:9])
    with pytest.raises(StateCorrupt, match="fewer than"):
        judge(hours[0], few)
    monkeypatch.setattr("anomaly.libraries.find_spec", lambda name: None)
    with pytest.raises(LibraryMissing, match=r"secure-api\[behavior\]"):
        judge(hours[0], hours[1])


def question(rows: int) -> bytes:
    random = Random(1)
    sample = Sample(random)
    for _ in range(rows):
        away = min(0.5, abs(random.gauss(0, 0.1)))
        sample.add("a", 4 * away, [0.5 + random.choice((-away, away)) for _ in FEATURES])
    return sample.to_bytes()


@pytest.mark.parametrize(("rows", "says"), [(LEAST, "agreement"), (3, "fewer than"), (0, "fewer than")])
def test_the_process_answers_in_json(
    rows: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.nice", lambda by: 0)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(2 * question(rows))))
    main()
    answer = capsys.readouterr().out
    assert says in answer
    if rows == LEAST:
        opinion = read_opinion(answer.encode())
        assert (opinion.rows, opinion.overlooked) == (LEAST, ())
        assert opinion.agreement > 0.5
    else:
        with pytest.raises(AnomalyError, match=says):
            read_opinion(answer.encode())


def test_it_is_a_process_of_its_own() -> None:
    command = [sys.executable, "-P", "-m", "anomaly.reference"]
    told = subprocess.run(command, input=b"garbage", capture_output=True, check=True)
    assert json.loads(told.stdout) == {"error": "This is no sample."}


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"rows": 1}', b'{"rows": "x", "agreement": 0, "shared": 0}'])
def test_an_answer_that_makes_no_sense_is_refused(answer: bytes) -> None:
    with pytest.raises(AnomalyError, match="no answer"):
        read_opinion(answer)
    assert read_opinion(b'{"rows": 1, "agreement": 1, "shared": 0, "overlooked": [2]}') == Opinion(1, 1.0, 0.0, (2,))
