from __future__ import annotations

from experiments.report.intervals import Intervals
from experiments.report.selection import Panel, panels
from experiments.result import ArmResult, PlotSpec
from tests.unit.experiments.made_experiment import arm, plot


def chosen(spec: PlotSpec, *arms: ArmResult) -> list[Panel]:
    return panels(spec, arms, Intervals(arms, 1))


def test_without_factors_every_arm_is_a_row_by_its_name() -> None:
    (panel,) = chosen(plot("dots", "All"), arm("a", 1), arm("b", 2))
    assert [(point.x, point.series) for point in panel.points] == [("a", None), ("b", None)]
    assert panel.title is None


def test_an_arm_without_the_factors_or_the_quantity_is_left_out() -> None:
    spec = plot("dots", "Sizes", quantity="signature_bytes", x="algorithm")
    arms = (
        arm("a", 1, {"algorithm": "a"}, {"signature_bytes": 64}),
        arm("b", 1, {"algorithm": "b"}),
        arm("c", 1, {}, {"signature_bytes": 64}),
        ArmResult(name="d", factors={"algorithm": "d"}, process="main", unavailable="no library"),
    )
    (panel,) = chosen(spec, *arms)
    assert [point.arm for point in panel.points] == ["a"]


def test_where_chooses_values() -> None:
    arms = [arm(f"{size}", 1, {"bytes": size}) for size in (64, 1024, 65536)]
    (panel,) = chosen(plot("dots", "Some", where={"bytes": [64, 1024]}), *arms)
    assert [point.arm for point in panel.points] == ["64", "1024"]


def test_panels_share_their_colors() -> None:
    arms = [
        arm("1", 1, {"operation": "sign", "provider": "openssl"}),
        arm("2", 1, {"operation": "sign", "provider": "oqs"}),
        arm("3", 1, {"operation": "verify", "provider": "oqs"}),
    ]
    sign, verify = chosen(plot("dots", "Both", color="provider", panel="operation"), *arms)
    assert (sign.title, verify.title) == ("sign", "verify")
    assert sign.series == verify.series == ("openssl", "oqs")
    assert verify.shown == ("oqs",)
    assert verify.number(verify.points[0]) == sign.number(sign.points[1]) == 1


def test_a_logarithmic_plot_leaves_out_what_has_no_logarithm() -> None:
    spec = plot("dots", "Added", quantity="added", log=True)
    assert chosen(spec, arm("a", 1, {}, {"added": 0.0})) == []
    assert len(chosen(spec, arm("a", 1, {}, {"added": 0.0}), arm("b", 1, {}, {"added": 3.0}))[0].points) == 1
