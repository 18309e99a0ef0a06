"""What every suite must hold: arms at both scales, findings and published figures of arms that exist."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import pytest

from experiments import FULL, QUICK, SCALES, Experiment, Plot, Round, Scale
from experiments.registry import experiments

SUITES = list(experiments().values())
EVERY = pytest.mark.parametrize("suite", SUITES, ids=lambda one: one.name)


class Figures(defaultdict[str, float]):
    """The quantities of an arm that has every one of them."""

    def __contains__(self, quantity: object) -> bool:
        return True


def made_up(suite: Experiment, scale: Scale) -> dict[str, Figures]:
    """A round in which every arm has a figure of its own."""
    figure = itertools.count(2.0)
    return {arm.name: Figures(lambda: next(figure)) for arm in suite.arms_at(scale)}


@EVERY
@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
def test_has_arms_and_every_plot_shows_some(suite: Experiment, scale: Scale) -> None:
    arms = suite.arms_at(scale)
    for plot in suite.plots:
        shown = [arm for arm in arms if all(arm.factors.get(name) in held for name, held in plot.where.items())]
        assert shown, plot.title
        for arm in shown:
            assert {plot.x, plot.color, plot.panel} - {None} <= arm.factors.keys(), (plot.title, arm.name)


@EVERY
def test_quick_arms_are_among_the_full_ones(suite: Experiment) -> None:
    assert {arm.name for arm in suite.arms_at(QUICK)} <= {arm.name for arm in suite.arms_at(FULL)}


@EVERY
def test_headlines_need_no_arm_that_quick_leaves_out(suite: Experiment) -> None:
    arms = made_up(suite, QUICK)
    for finding in suite.findings:
        if finding.headline:
            assert math.isfinite(finding.formula(Round(arms, finding.quantity))), finding.name


@EVERY
def test_findings_and_published_figures_are_of_arms_that_exist(suite: Experiment) -> None:
    arms = made_up(suite, FULL)
    for finding in suite.findings:
        finding.formula(Round(arms, finding.quantity))
    assert {figure.arm for figure in suite.published} <= arms.keys()
    assert all(figure.source for figure in suite.published)


@EVERY
def test_says_in_words_what_it_holds_fixed_and_checks(suite: Experiment) -> None:
    assert suite.held_fixed
    assert suite.checked.endswith(".")
    assert suite.question.endswith("?")
    assert all(isinstance(plot, Plot) for plot in suite.plots)
    assert suite.plots
