"""What was measured survives an interruption, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from experiments import NotTheSameRun, ResultUnreadable
from experiments.journal import NAME, Journal, head_of, interrupted
from experiments.journal_entry import Begun, Head, RoundDone, Void
from experiments.result import ArmResult, Environment, Sample

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE = Sample(round=1, place=0, loops=8, cpu=1.5, wall=2.0, load=0.1, extra={"bytes": 3.0})
BEGUN = Begun(experiment="one", started=NOW, arms=[ArmResult(name="a", factors={"size": 1}, process="main")])


def environment(**different: Any) -> Environment:
    fields: dict[str, Any] = {
        "cpu": "a CPU",
        "cpu_flags": [],
        "cores": 2,
        "hertz": None,
        "governor": None,
        "memory_bytes": 1,
        "system": "Linux",
        "python": "3.11.0",
        "libraries": {"scipy": "1.0"},
        "native": {"openssl": "3.0"},
        "revision": "abc",
        "dirty": False,
        "load_before": 0.0,
        "load_during": [],
    }
    return Environment(**{**fields, **different})


def head(env: Mapping[str, Any] | None = None, **different: Any) -> Head:
    fields: dict[str, Any] = {
        "scale": "quick",
        "seed": 1,
        "experiments": [("one", "one")],
        "sources": "0123456789abcdef",
        "started": NOW,
        "command": "run",
        "environment": environment(**(env or {})),
    }
    return Head(**{**fields, **different})


def done(number: int) -> RoundDone:
    return RoundDone(experiment="one", number=number, seconds=number / 2, samples={"a": SAMPLE})


def journal(folder: Path, *entries: Begun | RoundDone | Void) -> None:
    with Journal.begin(folder, head()) as begun:
        for entry in entries:
            begun.add(entry)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    journal(tmp_path, BEGUN, done(1), done(2))
    resumed, first = Journal.resume(tmp_path, head(started=datetime.now(UTC), command="run --resume"))
    with resumed:
        assert first == head()
        assert resumed.begun == {"one": BEGUN}
        assert resumed.rounds == {"one": [done(1), done(2)]}
        resumed.add(done(3))
    with Journal.resume(tmp_path, head())[0] as again:
        assert again.rounds == {"one": [done(1), done(2), done(3)]}


def test_every_line_is_on_the_disk_once_it_is_added(tmp_path: Path) -> None:
    with Journal.begin(tmp_path, head()) as open_one:
        open_one.add(BEGUN)
        assert len((tmp_path / NAME).read_bytes().splitlines()) == 2


@pytest.mark.parametrize("cut", [1, 7, 60])
def test_a_last_line_that_was_cut_off_is_ignored(tmp_path: Path, cut: int) -> None:
    journal(tmp_path, BEGUN, done(1), done(2))
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[:-cut])
    with Journal.resume(tmp_path, head())[0] as resumed:
        assert resumed.rounds == {"one": [done(1)]}
        resumed.add(done(2))
    assert (tmp_path / NAME).read_bytes() == content


def test_what_a_failed_check_made_void_does_not_count(tmp_path: Path) -> None:
    journal(tmp_path, BEGUN, done(1), Void(experiment="one"))
    with Journal.resume(tmp_path, head())[0] as resumed:
        assert (resumed.begun, resumed.rounds) == ({}, {})


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (head(seed=2), "seed was 1, is 2"),
        (head(scale="full"), "scale was quick, is full"),
        (head(experiments=[("one", "one"), ("two", "two")]), "experiments was one, is one two"),
        (head(sources="fedcba9876543210"), "sources was 0123456789ab, is fedcba987654"),
        (head({"revision": "def"}), "revision was abc, is def"),
        (head({"python": "3.12.0"}), "Python was 3.11.0, is 3.12.0"),
        (head({"cores": 4}), "CPU was 2 x a CPU, is 4 x a CPU"),
        (head({"libraries": {"scipy": "2.0"}}), "library scipy was 1.0, is 2.0"),
        (head({"libraries": {}}), "library scipy was 1.0, is None"),
        (head({"native": {"openssl": "3.0", "liboqs": "1"}}), "native library liboqs was None, is 1"),
    ],
)
def test_another_run_does_not_go_on_here(tmp_path: Path, now: Head, said: str) -> None:
    journal(tmp_path, BEGUN)
    content = (tmp_path / NAME).read_bytes()
    with pytest.raises(NotTheSameRun, match=said):
        Journal.resume(tmp_path, now)
    assert (tmp_path / NAME).read_bytes() == content


def test_a_new_run_does_not_overwrite_an_interrupted_one(tmp_path: Path) -> None:
    journal(tmp_path, BEGUN)
    with pytest.raises(NotTheSameRun, match="holds an interrupted run: resume it, remove its journal"):
        Journal.begin(tmp_path, head())


def test_a_journal_that_holds_no_whole_line_is_begun_anew(tmp_path: Path) -> None:
    journal(tmp_path)
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:50])
    assert not interrupted(tmp_path)
    journal(tmp_path, BEGUN)
    assert interrupted(tmp_path)
    assert head_of(tmp_path) == head()


def test_a_folder_without_a_journal_is_no_interrupted_run(tmp_path: Path) -> None:
    with pytest.raises(NotTheSameRun, match="holds no interrupted run"):
        head_of(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin as a journal does"),
        (b'{"kind": "void", "experiment": "one"}\n', "does not begin as a journal does"),
        (b"{}\n", "line 1 is no line of a journal"),
        (b'{"kind": "head"\n', "line 1 is no line of a journal"),
    ],
)
def test_what_is_no_journal_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ResultUnreadable, match=said):
        head_of(tmp_path)


def test_a_removed_journal_is_gone(tmp_path: Path) -> None:
    with Journal.begin(tmp_path, head()) as open_one:
        open_one.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    with Journal.begin(tmp_path, head()) as going:
        going.add(BEGUN)
        before = going.path.read_bytes()
        with pytest.raises(NotTheSameRun, match="still going on"):
            Journal.resume(tmp_path, head())
        assert going.path.read_bytes() == before
        going.add(done(1))
    resumed, _ = Journal.resume(tmp_path, head())
    with resumed:
        assert resumed.rounds == {"one": [done(1)]}
