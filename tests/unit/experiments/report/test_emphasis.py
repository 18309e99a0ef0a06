from __future__ import annotations

from experiments.report.emphasis import emphasized, prose
from tests.unit.experiments.made_experiment import finding

RATIO = finding("a", "It takes {}.", 1.46, 0.02)
SIZE = finding("b", "It has {}.", 51.7, 0)


def test_a_figure_stands_out_and_its_interval_stands_back() -> None:
    text = emphasized("It takes 1.46 [1.43, 1.49] times as long.", [RATIO])
    assert text == 'It takes <strong>1.46</strong> <span class="interval">[1.43, 1.49]</span> times as long.'


def test_a_figure_without_an_interval_stands_out() -> None:
    assert emphasized("51.7 times as long", [SIZE]) == "<strong>51.7</strong> times as long"


def test_a_part_of_another_number_is_no_figure() -> None:
    assert emphasized("not 151.7, not 51.78", [SIZE]) == "not 151.7, not 51.78"


def test_markup_in_a_text_is_text() -> None:
    assert emphasized("<b>51.7</b> & more", [SIZE]) == "&lt;b&gt;<strong>51.7</strong>&lt;/b&gt; &amp; more"
    assert emphasized("<script>", []) == "&lt;script&gt;"


def test_backticks_make_code() -> None:
    assert prose("by `x < y`, not `") == "by <code>x &lt; y</code>, not `"
