"""`secure-api experiments report`, `compare` and `figures`: what becomes of results that are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.browser import show
from experiments.storage import load, save
from tests.cli.program import Program
from tests.unit.experiments.experiment_file import experiment_file


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a result, as a run leaves it without a report; not to be changed."""
    place = tmp_path_factory.mktemp("measured")
    program = Program(place / "home", place / "config")
    folder = place / "experiment-results" / "20260101-000000"
    source = experiment_file(place)
    program.spawn("experiments", "run", "--from", str(source), "--no-report", "-o", str(folder)).ok()
    return folder


def slower(measured: Path, folder: Path, factor: float) -> Path:
    """The same result, but for the large messages, which take so many times as long."""
    result = load(measured)
    document = json.loads(result.model_dump_json(by_alias=True))
    experiment = document["experiments"][0]
    for sample in experiment["arms"][1]["samples"]:
        sample["cpu"] *= factor
    for name in ("value", "low", "high"):
        experiment["findings"][0][name] *= factor
    save(type(result).model_validate(document), folder)
    return folder


def test_a_run_writes_its_report_and_says_where(program: Program, tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path)
    done = program.spawn(
        "experiments",
        "run",
        "--from",
        str(source),
        "-o",
        str(folder),
        "--open",
        env={"DISPLAY": None, "WAYLAND_DISPLAY": None},
    ).ok()
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "result.json"]
    assert done.lines[-2:] == [
        "there is no graphical browser here to open the report in",
        f"report: {folder / 'report.html'}",
    ]


def test_report_writes_the_page_of_a_result(program: Program, measured: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert program("experiments", "report", str(measured), "-o", str(page)).ok().out == f"{page}\n"
    assert load(measured).experiments[0].question in page.read_text()
    both = tmp_path / "both.html"
    program("experiments", "report", str(measured), "--beside", str(measured), "--output", str(both)).ok()
    assert len(both.read_text()) > len(page.read_text())


def test_report_takes_the_newest_result_by_itself(
    program: Program, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no result in experiment-results" in program("experiments", "report").failed(1).error
    for name in ("20260101-000000", "20260202-000000"):
        save(load(measured), tmp_path / "experiment-results" / name)
    done = program("experiments", "report").ok()
    assert done.out == "experiment-results/20260202-000000/report.html\n"
    assert (tmp_path / done.out.strip()).is_file()


def test_compare_tells_which_intervals_lie_apart(program: Program, measured: Path, tmp_path: Path) -> None:
    same = program("experiments", "compare", str(measured), str(measured)).ok()
    assert {line.rpartition("\t")[2] for line in same.out.splitlines()} == {"no change shown"}
    assert same.said == "1 of 1 headline ratios of the second lie in the first's intervals\n"

    other = slower(measured, tmp_path, 3)
    done = program("experiments", "compare", str(measured), str(other)).ok()
    verdicts = {line.split("\t")[1]: line.split("\t")[-1] for line in done.out.splitlines()}
    assert verdicts == {"ratio": "changed", "small": "no change shown", "large": "changed"}
    assert done.said == "0 of 1 headline ratios of the second lie in the first's intervals; outside: digest/ratio\n"


def test_figures_are_written_into_documents_and_held_against_them(
    program: Program, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("Before\n<!-- figures: answers -->\n<!-- /figures -->\nBehind\n")
    assert "there is no result in docs/results" in program("experiments", "figures").failed(1).error
    assert (
        "is a quick run: documents quote full ones" in program("experiments", "figures", str(measured)).failed(1).error
    )
    full = tmp_path / "docs" / "results" / "2026-01-01-0123abc"
    save(load(measured).model_copy(update={"scale": "full"}), full)
    check = ("experiments", "figures", "--check")
    assert "README.md: figures 'answers' are not those of the result" in program(*check).failed(1).error
    assert program("experiments", "figures").ok().out == "README.md\n"
    assert load(measured).experiments[0].answer in readme.read_text()
    assert program("experiments", "figures", str(full)).ok().out == ""
    program(*check).ok()
    readme.write_text(readme.read_text().replace("64 KiB cost ", "64 KiB cost 1"))  # an edited figure
    assert "README.md: figures 'answers' are not those of the result" in program(*check).failed(1).error


@pytest.mark.parametrize("command", ["report", "compare"])
def test_what_is_no_result_is_one_line(program: Program, measured: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "result.json").write_text("{}")
    words = [str(measured)] if command == "compare" else []
    error = program("experiments", command, *words, str(tmp_path)).failed(1).error
    assert "not a result of secure-api experiments" in error


def test_a_page_is_shown_where_there_is_a_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    page = tmp_path / "report.html"
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not show(page)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setattr("webbrowser._browsers", {})
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert show(page)
    assert (tmp_path / "opened").read_text() == f"{page.as_uri()}\n"


@pytest.mark.parametrize("name", ["result.json", "page", "page.md"])
def test_a_page_is_written_over_nothing_but_a_page(program: Program, measured: Path, name: str) -> None:
    before = (measured / "result.json").read_bytes()
    refused = program("experiments", "report", str(measured), "--output", str(measured / name)).failed(1)
    assert "is no name of a page" in refused.error
    assert (measured / "result.json").read_bytes() == before
