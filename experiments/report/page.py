"""The page: everything that a result says, in one file of HTML that asks for nothing else."""

import os
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from experiments.errors import ExperimentError
from experiments.report.emphasis import prose
from experiments.report.machine import environment_rows, reproduction, warnings
from experiments.report.repetition import repetition
from experiments.report.section import section
from experiments.result import Result

NAME: Final = "report.html"


def write_page(result: Result, path: Path, beside: Result | None = None) -> Path:
    """Write the page into a file or a folder; see `experiments.report.write_report`."""
    file = path / NAME if path.is_dir() else path
    text = render(result, beside)
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        raise ExperimentError(f"{file}: {error.strerror or error}") from error
    return file


def render(result: Result, beside: Result | None = None) -> str:
    """Write the page as text."""
    templates = Environment(
        loader=PackageLoader("experiments.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["prose"] = prose
    return templates.get_template("page.html.j2").render(
        result=result,
        sections=[
            section(one, result.seed, result.environment.hertz, number)
            for number, one in enumerate(result.experiments, 1)
        ],
        environment=environment_rows(result.environment),
        commands=reproduction(result),
        warnings=warnings(result),
        repetition=None if beside is None else repetition(result, beside),
    )
