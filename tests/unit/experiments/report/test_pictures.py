from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import matplotlib
import pytest
from markupsafe import Markup

from experiments.report.intervals import Intervals
from experiments.report.pictures import Picture, pictures
from experiments.report.theme import SETTINGS
from experiments.result import ArmResult, ExperimentResult, PlotSpec
from tests.unit.experiments.made_experiment import arm, experiment, plot
from tests.unit.experiments.made_suites import parts, peers, primitives, sealing

ROOT = Path(__file__).parents[4]


def drawn(found: ExperimentResult, name: str = "e1") -> list[Picture]:
    return pictures(found, Intervals(found.arms, 1), name)


def one(spec: PlotSpec, *arms: ArmResult) -> Markup:
    ((panel,),) = [picture.panels for picture in drawn(experiment("one", arms, plots=[spec]))]
    return panel.svg


def texts(svg: str) -> list[str]:
    """What is written in a picture, from top to bottom."""
    found = re.findall(r'<text [^>]*? y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return [text for _, text in sorted(found, key=lambda item: float(item[0]))]


@pytest.fixture(scope="module")
def page() -> str:
    """Every picture of the made suites, as if in one page."""
    suites = (primitives(), parts(), sealing(), peers())
    found = [picture for number, suite in enumerate(suites) for picture in drawn(suite, f"e{number}")]
    return "".join(panel.svg for picture in found for panel in picture.panels)


def test_ids_are_unique_in_a_page_and_every_reference_has_one(page: str) -> None:
    ids = Counter(re.findall(r' id="([^"]+)"', page))
    references = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', page))
    assert [name for name, count in ids.items() if count > 1] == []
    assert references
    assert references <= ids.keys()


def test_every_picture_has_a_title_and_a_description_for_who_listens(page: str) -> None:
    pictures_ = page.split("<svg ")[1:]
    assert len(pictures_) == 7
    for picture in pictures_:
        labelled = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', picture)
        assert labelled is not None
        assert re.search(f'<title id="{labelled[1]}">[^<]+</title>', picture)
        assert re.search(f'<desc id="{labelled[2]}">[^<]+</desc>', picture)
    assert "ml-dsa-65 verify oqs 27.2 µs [" in page


def test_colors_are_those_of_the_page(page: str) -> None:
    assert "#0000" not in page
    assert {"var(--c1)", "var(--c2)", "var(--ink)", "var(--grid)", "var(--muted)"} <= set(
        re.findall(r"var\(.*?\)", page)
    )
    assert set(re.findall(r"#[0-9a-f]{6}\b", page)) <= {"#ffffff"}


def test_texts_stay_texts_in_the_font_of_the_page(page: str) -> None:
    assert ">slh-dsa-sha2-128f</text>" in page
    assert "DejaVu" not in page
    assert "<style" not in page


def test_a_picture_is_the_same_each_time() -> None:
    assert drawn(sealing()) == drawn(sealing())


def test_what_is_written_cannot_become_markup() -> None:
    svg = one(plot("dots", "<script>"), arm("<script>alert(1)</script>", 10), arm('"&', 20))
    assert "<script" not in svg
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in svg


def test_dollar_signs_are_no_formulas() -> None:
    assert ">$a$ and $b$<" in one(plot("dots", "Money"), arm("$a$ and $b$", 10))


def test_rows_of_names_stand_in_the_order_of_their_figures() -> None:
    written = texts(one(plot("dots", "Cheap first"), arm("dear", 300), arm("cheap", 3), arm("middling", 40)))
    assert [text for text in written if text.isalpha()] == ["cheap", "middling", "dear"]


def test_the_most_requests_come_first() -> None:
    arms = [arm("slow", 9, {}, {"rate": 100}), arm("fast", 9, {}, {"rate": 900})]
    written = texts(one(plot("dots", "Rate", quantity="rate", unit="1/s"), *arms))
    assert [text for text in written if text.isalpha()] == ["fast", "slow"]
    assert {"100/s", "900/s"} <= set(written)


def test_rows_of_numbers_stand_in_the_order_of_the_numbers() -> None:
    arms = [arm(f"{size}", 1 / size, {"bytes": size}) for size in (1024, 64, 65536)]
    written = texts(one(plot("dots", "By size", x="bytes"), *arms))
    assert [text for text in written if text in {"64 B", "1 KiB", "64 KiB"}] == ["64 B", "1 KiB", "64 KiB"]


def test_a_size_that_two_libraries_share_is_one_dot() -> None:
    arms = [arm(f"a {name}", 9, {"algorithm": "a"}, {"signature_bytes": 64}) for name in ("openssl", "oqs")]
    spec = plot("dots", "Sizes", quantity="signature_bytes", x="algorithm", unit="B")
    assert texts(one(spec, *arms)).count("64 B") == 1


def test_long_names_stand_above_their_dots() -> None:
    long = "a name that would leave no room for the dots beside it"
    beside, above = one(plot("dots", "Short"), arm("a", 1)), one(plot("dots", "Long"), arm(long, 1))
    assert re.search(r"text-anchor: end[^>]*>a<", beside)
    assert not re.search(rf"text-anchor: end[^>]*>{long}<", above)


def test_lines_are_named_at_their_ends_without_lying_upon_each_other() -> None:
    svg = one(sealing().plots[0], *sealing().arms)
    places = [float(y) for y in re.findall(r' y="([\d.]+)"[^>]*>(?:X-Wing|X25519|session)', svg)]
    assert len(places) == 3
    assert min(abs(one - other) for one in places for other in places if one is not other) > 10


def test_a_line_without_series_needs_no_name() -> None:
    arms = [arm(f"{size}", 10 + size, {"bytes": size}) for size in (64, 1024)]
    assert {"64 B", "1 KiB", "bytes"} <= set(texts(one(plot("lines", "One line", x="bytes"), *arms)))


def test_a_stack_tells_its_total_and_the_parts_that_have_room() -> None:
    arms = [
        arm("verify", 150, {"request": "signed", "part": "verify"}, rounds=1),
        arm("nonce", 1, {"request": "signed", "part": "nonce"}, rounds=1),
    ]
    written = texts(one(plot("stack", "Parts", x="request", color="part"), *arms))
    verify, nonce = (found.samples[0].cpu for found in arms)
    assert {"verify", "nonce", "signed", f"{verify:.0f}", f"{verify + nonce:.0f} µs"} <= set(written)
    assert f"{nonce:.3g}" not in written


def test_a_stack_with_long_names_has_them_above_its_bars() -> None:
    long = "a request of sixty-four KiB by ml-dsa-65"
    svg = one(plot("stack", "Parts", x="request"), arm("all", 150, {"request": long}))
    assert long in texts(svg)
    assert not re.search(rf"text-anchor: end[^>]*>{long}<", svg)


def test_a_plot_without_arms_is_not_shown() -> None:
    assert drawn(experiment("none", [arm("a", 1)], plots=[plot("dots", "Nothing", x="size")])) == []


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    before = {name: matplotlib.rcParams[name] for name in SETTINGS}
    drawn(peers())
    assert {name: matplotlib.rcParams[name] for name in SETTINGS} == before


def test_drawing_does_without_the_global_state_of_pyplot() -> None:
    code = "import sys, experiments.report.page; sys.exit('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
