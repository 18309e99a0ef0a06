from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from experiments.errors import ExperimentError
from experiments.report import write_report
from experiments.report.page import render
from experiments.result import ArmResult, Result
from tests.unit.experiments.made_experiment import arm, experiment, finding
from tests.unit.experiments.made_result import made_result

HOSTILE = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """What a browser would make of a page: its elements, what it would load, and what stands in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in self.open, f"</{tag}> closes nothing"
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text() -> str:
    return render(made_result())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_asks_for_nothing_else(page: Page, text: str) -> None:
    loading = {"src", "srcset", "data", "action", "poster", "xlink:href", "href"}
    found = [value for _, attributes in page.elements for name, value in attributes.items() if name in loading]
    assert [value for value in found if value is None or not value.startswith("#")] == ["result.json"]
    assert {"script", "link", "img", "iframe", "object", "form"} & {name for name, _ in page.elements} == set()
    assert "url(" not in text.partition("</style>")[0]
    assert "@import" not in text
    (policy,) = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_every_answer_comes_before_the_first_section(page: Page) -> None:
    result = made_result()
    summary = page.text.partition("In brackets:")[0]
    for one in result.experiments:
        assert one.question in summary
        assert one.answer.split(" [")[0].rstrip("0123456789. ") in summary
    assert summary.count("?") == len(result.experiments)


def test_links_of_the_summary_lead_to_sections(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    anchors = [value for link in page.named("a") if (value := link["href"] or "").startswith("#")]
    assert anchors == ["#e1", "#e2", "#e3", "#e4"]
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_section_tells_how_it_was_measured(page: Page) -> None:
    assert "1 KiB of JSON" in page.text
    assert "Every arm refuses what was changed." in page.text
    assert "9 rounds in 240 s" in page.text
    assert "It ended when its time budget was used up." in page.text
    assert "mayo-1 sign oqs: liboqs is not installed: set OQS_INSTALL_PATH" in page.text
    assert "µs of CPU time an operation" in page.text
    assert "Reason: likely: Keccak by AVX-512." in page.text


def test_the_page_says_how_to_measure_again(page: Page) -> None:
    assert "$ git checkout 8f4734fd0c6e" in page.text
    assert "$ secure-api experiments run primitives signed-request sealing peers --full --seed 1" in page.text


def test_what_a_result_names_cannot_become_markup() -> None:
    hostile = experiment(
        HOSTILE,
        [
            arm(HOSTILE, 1, {HOSTILE: HOSTILE}, {HOSTILE: 1.0}),
            ArmResult(name="gone", factors={}, process="main", unavailable=HOSTILE),
        ],
        title=HOSTILE,
        question=HOSTILE,
        answer=HOSTILE,
        held_fixed=[HOSTILE],
        checked=HOSTILE,
        unit=HOSTILE,
        warnings=[HOSTILE],
        baseline=HOSTILE,
        findings=[finding(HOSTILE, HOSTILE, 2)],
    )
    result = made_result(experiments=[hostile], command=HOSTILE, product=HOSTILE, warnings=[HOSTILE])
    page = Page(render(result))
    assert page.named("script") == []
    assert page.text.count("alert(1)") >= 12


def test_a_quick_run_is_not_for_quoting(text: str) -> None:
    assert "not for quoting" not in text
    assert "not for quoting" in render(made_result(experiments=[experiment("one", [arm("a", 1)])], scale="quick"))


def test_a_second_run_is_held_against_the_first() -> None:
    def run(value: float) -> Result:
        return made_result(experiments=[experiment("one", [arm("a", 1)], findings=[finding("a", "{}", value)])])

    assert "Does it repeat?" not in render(run(2))
    assert "All 1 headline ratios of the second run lie inside" in Page(render(run(2), run(2.01))).text
    assert "1 do not, and come first below." in Page(render(run(2), run(3))).text


def test_an_experiment_of_which_nothing_could_be_measured_has_a_section() -> None:
    gone = ArmResult(name="a", factors={}, process="main", unavailable="no library")
    page = Page(render(made_result(experiments=[experiment("one", [gone], answer="Not answered here.")])))
    assert "Left out a: no library" in page.text
    assert page.named("table") == [{"class": "pairs"}]


def test_the_same_result_gives_the_same_page(tmp_path: Path, text: str) -> None:
    written = write_report(made_result(), tmp_path)
    assert written == tmp_path / "report.html"
    assert written.read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_page_goes_into_the_file_that_is_named(tmp_path: Path) -> None:
    result = made_result(experiments=[experiment("one", [arm("a", 1)])])
    assert write_report(result, tmp_path / "other.html") == tmp_path / "other.html"
    with pytest.raises(ExperimentError, match=r"missing.*: No such file or directory"):
        write_report(result, tmp_path / "missing" / "report.html")


def test_a_library_that_is_missing_is_told_with_the_extra_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("experiments.report.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ExperimentError, match=r"^a report needs jinja2: install secure-api\[experiments\]$"):
        write_report(made_result(experiments=[experiment("one", [arm("a", 1)])]), tmp_path)
