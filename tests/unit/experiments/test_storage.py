"""Results on disk: what was written comes back, and nothing else is believed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments import ResultUnreadable
from experiments.storage import digest, load, save
from tests.unit.experiments.made_result import made_result


def test_what_was_saved_is_loaded_from_its_folder_and_by_its_name(tmp_path: Path) -> None:
    result = made_result()
    path = save(result, tmp_path / "run")
    assert load(tmp_path / "run") == load(path) == result
    assert [one.name for one in (tmp_path / "run").iterdir()] == ["result.json"], "no part is left behind"


def test_a_sample_is_a_line(tmp_path: Path) -> None:
    result = made_result()
    lines = save(result, tmp_path).read_text().splitlines()
    count = sum(len(arm.samples) for experiment in result.experiments for arm in experiment.arms)
    assert sum(line.strip().startswith('{"round":') for line in lines) == count > 0


def test_text_that_looks_like_a_mark_is_kept(tmp_path: Path) -> None:
    result = made_result(command='run "@sample 0@" and @sample 1@')
    save(result, tmp_path)
    assert load(tmp_path).command == result.command


@pytest.mark.parametrize("text", ["one\u2028two", "one\u0085two", "\x1c", "@sample x@", '"@sample 0@"'])
def test_text_with_line_ends_of_other_alphabets_is_kept(tmp_path: Path, text: str) -> None:
    result = made_result(command=text)
    save(result, tmp_path)
    assert load(tmp_path).command == text


def test_factors_that_look_like_a_sample_are_kept(tmp_path: Path) -> None:
    result = made_result()
    first = result.experiments[0]
    arm = first.arms[0].model_copy(update={"factors": {"place": 1, "loops": 2}})
    changed = first.model_copy(update={"arms": [arm, *first.arms[1:]]})
    result = result.model_copy(update={"experiments": [changed, *result.experiments[1:]]})
    save(result, tmp_path)
    assert load(tmp_path).experiments[0].arms[0].factors == {"place": 1, "loops": 2}


def test_what_could_not_be_read_again_takes_the_place_of_nothing(tmp_path: Path) -> None:
    save(made_result(), tmp_path)
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(ResultUnreadable):
        save(made_result(seed=2**60), tmp_path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("result.json", before)]


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ResultUnreadable, match="no file"):
            load(path)


Change = Callable[[dict[str, Any]], object]
EDITS: dict[str, tuple[Change, str]] = {
    "a figure": (lambda d: d["experiments"][0]["findings"][0].update(value=1.0), "changed since"),
    "a sample": (lambda d: d["experiments"][0]["arms"][0]["samples"][0].update(cpu=1.0), "changed since"),
    "no digest": (lambda d: d.pop("digest"), "changed since"),
    "another version": (lambda d: d.update(schema_version=2), "version 2 of the schema"),
    "no version": (lambda d: d.pop("schema_version"), "version None of the schema"),
    "another schema": (lambda d: d.update(schema="pyperf"), "not a result"),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_was_edited_by_hand_is_refused(tmp_path: Path, name: str) -> None:
    path = save(made_result(), tmp_path)
    document = json.loads(path.read_text())
    change, why = EDITS[name]
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ResultUnreadable, match=why):
        load(tmp_path)


def test_a_member_that_the_schema_does_not_know_is_named(tmp_path: Path) -> None:
    path = save(made_result(), tmp_path)
    document = json.loads(path.read_text())
    del document["digest"]
    document["experiments"][0]["mood"] = "good"
    document["digest"] = digest(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ResultUnreadable, match=r"experiments\.0\.mood"):
        load(tmp_path)


@pytest.mark.parametrize("content", ["", "[1", "[]", "null", '"secure-api-experiments"', "{}", "[" * 100_000])
def test_what_is_no_result_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(ResultUnreadable) as refused:
        load(path)
    assert "\n" not in str(refused.value)


def test_a_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = save(made_result(), tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ResultUnreadable, match="cut off"):
        load(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ResultUnreadable, match="not JSON"):
        load(tmp_path)


def test_a_folder_without_a_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultUnreadable, match=r"result\.json: No such file"):
        load(tmp_path)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ResultUnreadable, match="too large"):
        load(path)


@pytest.mark.parametrize("seed", ["NaN", "Infinity", str(1 << 70), '"\\ud800"', *map(str, range(-1000, -700, 25))])
def test_what_no_result_holds_is_refused_with_the_name_of_the_file(tmp_path: Path, seed: str) -> None:
    depth = max(0, -int(seed)) if seed.lstrip("-").isdigit() else 0  # of lists within lists
    path = save(made_result(), tmp_path)
    text = path.read_text().replace('"seed": 1,', f'"seed": {"[" * depth + "]" * depth or seed},', 1)
    path.write_text(text)
    with pytest.raises(ResultUnreadable) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_refusal_is_one_line_whatever_a_member_is_called(tmp_path: Path) -> None:
    path = save(made_result(), tmp_path)
    document = json.loads(path.read_text()) | {"two\nlines": 1}
    del document["digest"]
    path.write_text(json.dumps(document | {"digest": digest(document)}))
    with pytest.raises(ResultUnreadable, match="two lines: Extra inputs") as refused:
        load(path)
    assert "\n" not in str(refused.value)


def test_what_is_published_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    result = made_result(warnings=["see /home/bob/run/log"])
    first = result.experiments[0]
    gone = first.arms[0].model_copy(update={"samples": [], "unavailable": "/opt/secret/liboqs.so cannot be loaded"})
    changed = first.model_copy(update={"arms": [gone, *first.arms[1:]], "warnings": ["/var/secret/arm is slow"]})
    path = save(result.model_copy(update={"experiments": [changed, *result.experiments[1:]]}), tmp_path)
    found = load(path)
    assert found.warnings == ["see log"]
    assert found.experiments[0].warnings == ["arm is slow"]
    assert found.experiments[0].arms[0].unavailable == "liboqs.so cannot be loaded"


def test_a_result_that_cannot_be_put_in_place_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "result.json" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        save(made_result(), tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]
