"""How far a run is, in words."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from experiments.progress import Bar, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (14.6, "15 s"), (89, "89 s"), (90, "2 min"), (600, "10 min"), (5300, "88 min"), (5400, "1 h 30 min")],
)
def test_a_duration_is_as_long_as_it_needs_to_be(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_bar_tells_experiment_step_round_and_time_left() -> None:
    screen = io.StringIO()
    with Bar(Console(file=screen, force_terminal=True, width=100, color_system=None)) as bar:
        bar.begins("sealing", 2, 8, 100)
        assert "[2/8] sealing" in screen.getvalue()
        assert "at most 2 min left" in screen.getvalue()
        bar._drawn = 0
        bar.step("checking [seal] 1 KiB (3/12)")
        assert "checking [seal] 1 KiB (3/12)" in screen.getvalue()
        bar._drawn = 0
        bar.window(17, 15, 60, 0.5, 42)
        assert "round 17 of 15 to 60, at most 42 s left" in screen.getvalue()


def test_the_bar_is_not_drawn_for_every_window() -> None:
    screen = io.StringIO()
    with Bar(Console(file=screen, force_terminal=True, width=100, color_system=None)) as bar:
        bar.begins("sealing", 1, 1, 100)
        drawn = len(screen.getvalue())
        bar.window(1, 15, 60, 0.5, 42)
        assert len(screen.getvalue()) == drawn
