"""Parts of a result that nobody measured: arms with samples, figures, pictures."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from experiments.digits import figure
from experiments.result import ArmResult, ExperimentResult, FindingResult, PlotSpec, Sample
from experiments.statistics import Interval

BEGAN = datetime(2026, 11, 23, 7, 10, tzinfo=UTC)


def arm(
    name: str,
    cpu: float,
    factors: Mapping[str, str | int] | None = None,
    extra: Mapping[str, float] | None = None,
    seed: int = 1,
    rounds: int = 9,
) -> ArmResult:
    """An arm whose samples lie around `cpu`, some per cent apart."""
    chance = random.Random(f"{seed} {name}")
    samples = []
    for number in range(1, rounds + 1):
        one = cpu * chance.lognormvariate(0, 0.03)
        samples.append(
            Sample(round=number, place=0, loops=64, cpu=one, wall=one * 1.02, load=0.9, extra=dict(extra or {}))
        )
    return ArmResult(name=name, factors=dict(factors or {}), process="main", samples=samples)


def finding(name: str, sentence: str, value: float, spread: float = 0.02, **changes: Any) -> FindingResult:
    """A figure with an interval of `spread` to each side; `{}` in the sentence is where it goes."""
    low, high = value * (1 - spread), value * (1 + spread)
    shown = not low <= 1 <= high
    fields: dict[str, Any] = {
        "name": name,
        "sentence": sentence.format(figure(Interval(value, low, high), changes.get("unit", ""))),
        "kind": "ratio",
        "unit": "",
        "quantity": "cpu",
        "headline": True,
        "value": value,
        "low": low,
        "high": high,
        "shown": shown,
    }
    return FindingResult(**(fields | changes))


def plot(kind: str, title: str, **changes: Any) -> PlotSpec:
    """What a picture shows."""
    fields: dict[str, Any] = {
        "kind": kind,
        "title": title,
        "quantity": "cpu",
        "x": None,
        "color": None,
        "panel": None,
        "where": {},
        "log": False,
        "log_x": False,
        "unit": "us",
    }
    return PlotSpec(**(fields | changes))


def experiment(name: str, arms: Sequence[ArmResult], **changes: Any) -> ExperimentResult:
    """An experiment of these arms; `{name}` in its answer is the figure of that finding."""
    told = {one.name: figure(one, one.unit) for one in changes.get("findings", ())}
    if "answer" in changes:
        changes["answer"] = changes["answer"].format(**told)
    fields: dict[str, Any] = {
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "question": f"What does {name} cost?",
        "topic": 19,
        "unit": "us of CPU time an operation",
        "held_fixed": ["one process, one thread", "1 KiB of JSON"],
        "checked": "Every arm refuses what was changed.",
        "baseline": None,
        "answer": "Little: 1.12 [1.10, 1.14].",
        "started": BEGAN,
        "finished": BEGAN + timedelta(minutes=4),
        "rounds": 9,
        "ended_because": "intervals are narrow enough",
        "arms": list(arms),
        "findings": [],
        "published": [],
        "plots": [],
    }
    return ExperimentResult(**(fields | changes))
