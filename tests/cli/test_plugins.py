"""Commands of other packages, installed as any package is: a good one runs, a bad one is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program

MODULES = {
    "measure": "import typer\napp = typer.Typer(help='Measure things.')\n"
    "@app.command()\ndef run(times: int = 1) -> None:\n    'Run.'\n    typer.echo('measured ' * times)\n"
    "@app.command()\ndef other() -> None:\n    'Other.'\n",
    "missing": "import no_such_library",
    "leaving": "raise SystemExit('I leave\\nand take you with me')",
}


@pytest.fixture
def plugged(program: Program, tmp_path: Path) -> Program:
    """The program beside a package that contributes commands."""
    site = tmp_path / "site"
    info = site / "contributed-1.0.dist-info"
    info.mkdir(parents=True)
    for name, text in MODULES.items():
        (site / f"contributed_{name}.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: contributed\nVersion: 1.0\n")
    entries = "".join(f"{name} = contributed_{name}:app\n" for name in MODULES)
    (info / "entry_points.txt").write_text(f"[secure_api.commands]\n{entries}absent = contributed_measure:nothing\n")
    return Program(program.home, program.config, {"PYTHONPATH": str(site)})


def test_a_contributed_command_runs(plugged: Program) -> None:
    done = plugged.spawn("measure", "run", "--times", "2").ok()
    assert (done.out, done.said) == ("measured measured \n", "")
    assert "Measure things." in plugged.spawn("measure", "--help").ok().out


def test_a_broken_command_is_one_line_and_takes_nothing_with_it(plugged: Program) -> None:
    done = plugged.spawn("--help").ok()
    assert "Measure things." in done.out
    assert sorted(line.partition(": ")[2].partition(" cannot")[0] for line in done.lines) == [
        "the command absent",
        "the command leaving",
        "the command missing",
    ]
    assert "SystemExit: I leave and take you with me" in done.said
    assert plugged.spawn("--version").ok().said == ""
    plugged.spawn("missing").failed(2, "No such command", "no_such_library")
