"""What the author of a suite got wrong is told in a line, and the program is not blamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments import Arm, DefinitionError, Experiment, Finding, Operation, Published
from experiments.registry import experiments
from experiments.validation import validate
from tests.cli.program import Program
from tests.unit.experiments.experiment_file import experiment_file
from tests.unit.experiments.test_runner import measured


def prepare(_: object) -> Operation:
    return Operation(lambda: None, lambda _: None)


SMALL, LARGE = Arm("small", prepare), Arm("large", prepare)


def made(**changes: Any) -> Experiment:
    fields: dict[str, Any] = {
        "name": "made",
        "title": "Made",
        "question": "What is it?",
        "topic": 3,
        "held_fixed": ("everything",),
        "arms": lambda _: [SMALL, LARGE],
        "findings": (Finding("ratio", lambda r: r["large"] / r["small"], "It is {value}."),),
        "answer": "It is {ratio}.",
    }
    return Experiment(**(fields | changes))


def finding(formula: Any) -> dict[str, Any]:
    return {"findings": (Finding("ratio", formula, "It is {value}."),)}


@pytest.mark.parametrize("name", experiments())
def test_the_parts_of_every_suite_fit_each_other(name: str) -> None:
    validate(experiments()[name])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (finding(lambda r: r["lagre"] / r["small"]), "made: finding ratio needs arm 'lagre', and there is none"),
        (finding(lambda r: r["lagre", "bytes"]), "made: finding ratio needs arm 'lagre'"),
        (finding(lambda r: r.large), "made: finding ratio: AttributeError"),
        (finding(lambda _: "much"), ""),
        ({"arms": lambda _: 1 / 0}, "made: its arms cannot be built: ZeroDivisionError: division by zero"),
        ({"arms": lambda _: None}, "made: its arms cannot be built: TypeError"),
        ({"arms": lambda _: ["small", "large"]}, "made: 'small' is no Arm"),
        ({"published": (Published("tiny", 1.0, "us", "cpu", "x"),)}, "a published figure is of arm 'tiny'"),
    ],
)
def test_what_does_not_fit_is_told_of(changes: dict[str, Any], said: str) -> None:
    if not said:
        validate(made(**changes))  # placeholders may be what a formula cannot take: the first round shows it
        return
    with pytest.raises(DefinitionError, match=said):
        validate(made(**changes))


def test_an_arm_of_one_scale_is_known_to_both_and_a_formula_may_divide_by_a_difference() -> None:
    def arms(scale: Any) -> list[Arm]:
        return [SMALL, LARGE, *([Arm("wide", prepare)] if scale.wide else [])]

    validate(made(arms=arms, **finding(lambda r: r["wide"] / (r["small"] - r["large"]))))
    validate(made(**finding(lambda _: 1 / 0)))


@pytest.mark.parametrize("text", ["", "a\x1b[31m", "a\tb", "a\nb", "a\u2028b", "c\udc80", 7])
def test_a_name_that_cannot_be_printed_is_refused(text: Any) -> None:
    for fields in ({"name": text}, {"process": text}, {"factors": {text: 1}}, {"factors": {"size": text}}):
        if fields == {"factors": {"size": 7}}:
            continue
        with pytest.raises(DefinitionError, match="printed"):
            Arm(**({"name": "odd", "prepare": prepare} | fields))
    with pytest.raises(DefinitionError, match="cannot be printed"):
        made(held_fixed=(text or "\x00",))


@pytest.mark.parametrize("value", [1.5, True, None, 2**53, -(2**60)])
def test_a_factor_that_no_result_holds_is_refused(value: Any) -> None:
    with pytest.raises(DefinitionError, match="arm odd: factor size is "):
        Arm("odd", prepare, {"size": value})


def test_texts_of_any_alphabet_and_the_largest_factor_are_kept() -> None:
    assert Arm("\u91cd \U0001f680", prepare, {"size": 2**53 - 1}).factors == {"size": 2**53 - 1}


@pytest.mark.parametrize(
    ("arm", "code", "said"),
    [
        ("Arm('odd', None)", "", "arm odd: what prepares it cannot be called"),
        ("Arm(f'odd {os.getpid()}', digest(64))", "", "digest: its arms have other names each time"),
        (
            "Arm('odd', odd)",
            "def odd(_): return Operation(lambda: 1, lambda _: None, {'bytes': float('nan')})",
            "digest, arm odd: its quantity 'bytes' is nan, which is no figure",
        ),
        (
            "Arm('odd', odd)",
            "def odd(_): return Operation(lambda: 1, lambda _: None, {'bytes': 'many'})",
            "digest, arm odd: its quantity 'bytes' is 'many', which is no figure",
        ),
        ("Arm('odd', odd)", "def odd(_): return Operation(os.fork, lambda _: None)", "arm odd: it forks"),
    ],
)
def test_a_suite_that_cannot_be_measured_leaves_nothing(
    tmp_path: Path, folder: Path, arm: str, code: str, said: str
) -> None:
    with pytest.raises(DefinitionError, match=said):
        measured(folder, experiment_file(tmp_path, arm, code=code))
    assert not folder.exists() or [one.name for one in folder.iterdir()] == ["workers.log"]


def test_a_quantity_that_an_arm_does_not_measure_is_told_of_after_the_first_round(tmp_path: Path, folder: Path) -> None:
    source = experiment_file(tmp_path)
    source.write_text(source.read_text().replace('"64 KiB cost {value} times 64 B."', r'"{value}", quantity="byts"'))
    with pytest.raises(DefinitionError, match="ratio: arm large measures no 'byts', but bytes, cpu, wall"):
        measured(folder, source)
    assert not folder.exists()


def test_a_misspelled_arm_ends_the_command_before_anything_is_measured(
    program: Program, tmp_path: Path, folder: Path
) -> None:
    source = experiment_file(tmp_path)
    source.write_text(source.read_text().replace('r["large"]', 'r["lagre"]'))
    refused = program("experiments", "run", "--from", str(source), "-o", str(folder)).failed(2)
    assert "finding ratio needs arm 'lagre', and there is none" in refused.error
    assert not folder.exists()
