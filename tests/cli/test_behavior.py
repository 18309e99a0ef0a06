"""`secure-api behavior`: logs are scored, traffic is made, the analysis is measured; what is broken is one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from secure_api.cli.line_file import MAX_LINE
from tests.cli.program import Program


def text_line(second: int, client: str, path: str, status: int = 200) -> str:
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return (
        f'192.0.2.7 - {client} [10/Oct/2025:{hour:02}:{minute:02}:{second:02} +0000] "GET {path} HTTP/1.1" {status} 99'
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Half an hour of two readers, then one of them tries foreign objects."""
    lines = [text_line(second, "ada" if second % 20 else "bob", "/v1/studies") for second in range(0, 1_800, 10)]
    lines += [text_line(1_800 + second, "mallory", f"/v1/studies/{4_000 + second}", 404) for second in range(20)]
    path = tmp_path / "access.log"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few hours of labelled traffic, as the program writes it."""
    folder = tmp_path_factory.mktemp("day")
    program = Program(folder / "home", folder / "config")
    path = folder / "day.jsonl.gz"
    made = program("behavior", "simulate", "--clients", "60", "--days", "0.2", "--seed", "5", "-o", path).ok()
    assert "of them attacks" in made.said
    return path


def test_a_log_is_replayed_and_the_rule_names_the_client(program: Program, log: Path) -> None:
    done = program("behavior", "replay", log).ok()
    (row,) = [line for line in done.out.splitlines() if "rule: foreign objects" in line]
    assert "client mallory" in row
    assert "200 requests" in done.said
    assert "within the warm-up" in done.said
    assert program("behavior", "replay", log).ok().out == done.out


def test_on_a_terminal_an_episode_is_a_paragraph(program: Program, log: Path) -> None:
    status, screen = program.on_terminal("behavior", "replay", log)
    assert status == 0
    lines = [line.rstrip() for line in screen.splitlines()]
    (place,) = [place for place, line in enumerate(lines) if line.startswith("2025-10-10 00:30:07  client mallory: 13")]
    assert lines[place + 1] == "    rule: foreign objects"


def test_a_log_may_be_compressed_come_from_stdin_and_have_bad_lines(program: Program, log: Path) -> None:
    data = log.read_bytes() + b"nonsense\n\xff\xfe\n\n" + b"x" * (3 * MAX_LINE) + b"\n{}\n"
    for stdin in (data, gzip.compress(data)):
        done = program("behavior", "replay", "-", "--json", stdin=stdin).ok()
        found = done.json()
        assert (found["requests"], found["bad_lines"]) == (200, 4)
        assert "4 lines were left out (line 201: neither" in done.said
        (episode,) = found["episodes"]
        assert (episode["name"], episode["rule"], episode["requests"]) == ("mallory", "foreign objects", 13)
        assert "belong to others" in episode["text"]
        assert episode["opened"] == "2025-10-10 00:30:07"


def test_what_is_no_log_is_told_in_one_line(program: Program, tmp_path: Path, log: Path) -> None:
    empty, wrong, cut = tmp_path / "empty", tmp_path / "wrong", tmp_path / "cut.gz"
    empty.touch()
    wrong.write_bytes(bytes(range(256)) * 50)
    cut.write_bytes(gzip.compress(log.read_bytes())[:-40])
    program("behavior", "replay", empty).failed(1, "no line is of an access log")
    program("behavior", "replay", wrong).failed(1, "no line is of an access log")
    program("behavior", "replay", cut).failed(1, "damaged gzip")
    program("behavior", "replay", tmp_path).failed(2, "cannot read")
    program("behavior", "replay", tmp_path / "nothing").failed(2, "No such file")


def test_a_log_out_of_order_is_warned_of(program: Program) -> None:
    lines = [text_line(second, "ada", "/v1/me") for second in (500, 3, 600)]
    done = program("behavior", "replay", "-", stdin="\n".join(lines).encode()).ok()
    assert "1 requests are more than a minute older" in done.said


def test_simulated_traffic_is_repeatable_and_labelled(program: Program) -> None:
    words = ("behavior", "simulate", "--suite", "cold-start", "--clients", "60", "--days", "0.1", "--seed")
    first = program(*words, "2").ok()
    assert first.out == program(*words, "2").ok().out != program(*words, "3").ok().out
    kinds = {json.loads(line).get("attack") for line in first.out.splitlines()}
    assert len(kinds) == 10
    program("behavior", "simulate", "--clients", "40").failed(2, "needs", "clients or more")
    program("behavior", "simulate", "--suite", "nothing").failed(2, "sybil churn")
    program("behavior", "simulate", "-o", "/nowhere/x").failed(1, "/nowhere/x")


def test_labelled_traffic_is_replayed_and_evaluated(program: Program, day: Path) -> None:
    found = program("behavior", "replay", day, "--json").ok().json()
    assert found["bad_lines"] == 0
    assert found["episodes"]
    done = program("behavior", "evaluate", day, "--json").ok()
    (stream,) = done.json()["streams"]
    assert stream["measures"]["auc"]["mean"] > 0.9
    assert stream["qualities"][0]["kinds"].keys() == {kind.removeprefix("AUC of ") for kind in stream["measures"]
                                                      if kind.startswith("AUC of ")}  # fmt: skip
    assert "incidents" in done.said
    table = program("behavior", "evaluate", day).ok().out
    assert "ROC-AUC\t0.97\t" in table


def test_suites_are_evaluated_over_seeds_beside_peers(program: Program) -> None:
    words = ("behavior", "evaluate", "--clients", "60", "--suite", "cold start,benign", "--seeds", "1-2")
    done = program(*words, "--json").ok().json()
    assert [stream["stream"] for stream in done["streams"]] == ["cold start", "benign"]
    assert [len(stream["qualities"]) for stream in done["streams"]] == [2, 2]
    assert done["streams"][1]["measures"].keys() >= {"false_episodes", "realized_1"}
    assert "auc" not in done["streams"][1]["measures"]


def test_labelled_vectors_are_evaluated(program: Program, tmp_path: Path) -> None:
    table = tmp_path / "vectors.csv"
    rows = [f"{place % 7},{place % 5},{int(place % 400 == 399)}" for place in range(4_000)]
    table.write_text("\n".join(["a,b,bad", *(row if row[-1] == "0" else "90,-90,1" for row in rows)]))
    done = program("behavior", "evaluate", table, "--json").ok()
    (stream,) = done.json()["streams"]
    assert stream["measures"]["auc"]["mean"] > 0.99
    assert stream["qualities"][0]["found"] is None
    assert "4,000 vectors, 10 of them anomalies" in done.said
    program("behavior", "evaluate", table, "--label", "worse").failed(1, "no column 'worse'")


def test_what_cannot_be_evaluated_is_told_in_one_line(program: Program, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    for text, word in (("", "nothing in it"), ("{}", "no line"), ("a\n1\n", "heading"), ("a,b\n", "no row")):
        bad.write_text(text)
        program("behavior", "evaluate", bad).failed(1, word)
    for seeds in ("x", "3-1", "1-", "-1", "1-99999", "9" * 30):
        program("behavior", "evaluate", f"--seeds={seeds}").failed(2, "seeds")


def test_a_log_writes_no_lines_of_its_own_to_a_terminal(program: Program, tmp_path: Path) -> None:
    forged = "mallory\n2025-10-10 00:30:07  client ada: 99 unusual requests"
    lines = [
        json.dumps({"time": 1.7e9 + second, "client": forged, "status": 404, "path": f"/\x1b[2J\n/{1000 + second}"})
        for second in range(12)
    ]
    log = tmp_path / "forged.jsonl"
    log.write_text("\n".join(lines))
    status, screen = program.on_terminal("behavior", "replay", log)
    assert status == 0
    assert not [line for line in screen.splitlines() if line.startswith("2025-10-10 00:30:07")]
    assert "\x1b[2J" not in screen
    assert "days" not in screen


def test_a_table_of_one_truth_is_warned_of(program: Program, tmp_path: Path) -> None:
    table = tmp_path / "attacks.csv"
    table.write_text("a,label\n" + "1,evil\n" * 30)
    done = program("behavior", "evaluate", table, "--json").ok()
    assert "all rows are anomalies" in done.said
    assert "NaN" not in done.out
    assert "ap" not in done.json()["streams"][0]["measures"]
