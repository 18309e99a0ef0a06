from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.errors import ExperimentError, FiguresStale, ResultUnreadable
from experiments.markdown import blocks, check_figures, committed_result, documents, write_figures
from experiments.result import ExperimentResult, Result
from experiments.storage import save
from tests.unit.experiments.made_experiment import arm, experiment
from tests.unit.experiments.made_result import made_result
from tests.unit.experiments.made_suites import peers, sealing

ROOT = Path(__file__).parents[3]
RESULT = made_result(experiments=[peers(), sealing(), experiment("scaling", [arm("odd", 1)])])
TEXT = "# A page\n\n<!-- figures: {} -->\nold\n<!-- /figures -->\n\nAnd more.\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(TEXT.format("overhead"))
    return path


def test_figures_are_written_between_their_markers(page: Path) -> None:
    assert write_figures(RESULT, [page]) == [page]
    begin, _, rest = page.read_text().partition("<!-- figures: overhead -->\n")
    table, _, end = rest.partition("\n<!-- /figures -->")
    assert (begin, end) == ("# A page\n\n", "\n\nAnd more.\n")
    assert table.startswith("|  | CPU, µs |")
    assert "| ML-DSA-65, liboqs | 2" in table
    assert [path.name for path in page.parent.iterdir()] == ["page.md"]


def test_what_is_current_is_left_alone(page: Path) -> None:
    write_figures(RESULT, [page])
    before = page.stat().st_mtime_ns
    assert write_figures(RESULT, [page]) == []
    assert page.stat().st_mtime_ns == before
    check_figures(RESULT, [page])


def test_every_block_of_a_document_is_written(page: Path) -> None:
    page.write_text(TEXT.format("overhead") + TEXT.format("answers"))
    write_figures(RESULT, [page])
    assert [block.name for block in blocks([page])] == ["overhead", "answers"]
    assert "old" not in page.read_text()
    check_figures(RESULT, [page])


def test_an_edited_figure_is_found_with_its_file_and_block(tmp_path: Path) -> None:
    """In a copy of the README that people read."""
    readme = tmp_path / "README.md"
    text = re.sub("<!-- figures: .* -->", "<!-- figures: overhead -->", (ROOT / "README.md").read_text())
    readme.write_text(text if "<!-- figures: " in text else text + TEXT.format("overhead"))
    write_figures(RESULT, [readme])
    check_figures(RESULT, [readme])
    text = readme.read_text()
    place = text.rindex("| HMAC session")
    figure = next(place + number for number, letter in enumerate(text[place:]) if letter.isdigit())
    readme.write_text(f"{text[:figure]}{(int(text[figure]) + 1) % 10}{text[figure + 1 :]}")
    with pytest.raises(FiguresStale, match=r"README\.md: figures 'overhead' are not those of the result"):
        check_figures(RESULT, [readme])


def test_figures_of_another_result_are_stale(page: Path) -> None:
    write_figures(RESULT, [page])
    with pytest.raises(FiguresStale, match="overhead"):
        check_figures(made_result(experiments=[peers(seed=2)]), [page])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TEXT.format("nothing"), r"page\.md: no figures are called 'nothing'; there are: answers"),
        (TEXT.format(""), "no figures are called ''"),
        (TEXT.format("scaling"), r"page\.md: figures 'scaling': an arm has no factor 'protection'"),
        (TEXT.format("primitives"), r"page\.md: figures 'primitives': the result has no experiment primitives"),
        ("<!-- figures: answers -->\n", "figures 'answers' have no end"),
        (
            "one\n  <!-- figures: answers -->\n  1\n  <!-- /figures -->\n",
            r"page\.md: line 2: a marker of figures stands",
        ),
        ("<!-- figures: answers -->\n1\n> <!-- /figures -->\n", r"page\.md: line 3: a marker of figures stands"),
        ("<!-- figures: answers --> 1\n<!-- /figures -->\n", r"page\.md: line 1: a marker of figures stands"),
        ("<!-- figures: answers -->\n" + TEXT.format("overhead"), "figures 'answers' have no end"),
    ],
)
def test_a_block_that_cannot_be_filled_is_refused_and_nothing_written(page: Path, text: str, problem: str) -> None:
    first = page.with_name("first.md")
    first.write_text(TEXT.format("overhead"))
    page.write_text(text)
    with pytest.raises(ExperimentError, match=problem):
        write_figures(RESULT, [first, page])
    with pytest.raises(ExperimentError, match=problem):
        write_figures(RESULT, [page])
    assert first.read_text() == TEXT.format("overhead")


def test_a_document_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.md").write_bytes(b"\xff")
    for path in (tmp_path / "binary.md", tmp_path / "missing.md"):
        with pytest.raises(ExperimentError, match=rf"{path.name}: cannot be read"):
            check_figures(RESULT, [path])


def test_documents_are_the_readme_and_the_pages(tmp_path: Path) -> None:
    (tmp_path / "docs" / "results").mkdir(parents=True)
    for name in ("README.md", "CHANGELOG.md", "docs/b.md", "docs/a.md", "docs/a.txt", "docs/results/c.md"):
        (tmp_path / name).touch()
    assert documents(tmp_path) == [tmp_path / name for name in ("README.md", "docs/a.md", "docs/b.md")]


def test_figures_come_from_the_newest_whole_result_and_newer_ones_of_other_experiments(tmp_path: Path) -> None:
    assert committed_result(tmp_path) is None

    def committed(name: str, day: int, *experiments: ExperimentResult) -> Result:
        result = made_result(experiments=experiments)
        result = result.model_copy(update={"started": result.started.replace(day=day)})
        save(result, tmp_path / "docs" / "results" / name)
        return result

    committed("2026-11-24-aaaaaaa", 24, peers(), sealing())
    whole = committed("2026-11-24-0000000", 25, peers(), sealing())
    committed("2026-11-23-fffffff", 23, peers(), sealing())
    scaling = experiment("scaling", [arm("odd", 1)])
    committed("2026-11-22-fffffff", 22, experiment("older", [arm("odd", 1)]))
    committed("2026-11-26-fffffff", 26, scaling)
    found = committed_result(tmp_path)
    assert found is not None
    assert found.started == whole.started
    assert {one.name for one in found.experiments} == {"peers", "sealing", "scaling"}


def test_a_committed_file_that_is_no_result_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "results" / "2026-11-23-fffffff"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("{}")
    with pytest.raises(ResultUnreadable, match=r"result\.json"):
        committed_result(tmp_path)


def test_a_document_that_cannot_be_written_is_told(page: Path) -> None:
    page.with_name(".page.md.part").mkdir()
    with pytest.raises(ExperimentError, match=r"page\.md: Is a directory"):
        write_figures(RESULT, [page])
    assert page.read_text() == TEXT.format("overhead")
