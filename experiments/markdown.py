"""Figures in README and docs: written from a result between markers, and held against it.

A block begins with `<!-- figures: NAME -->` and ends with `<!-- /figures -->`, each on a line of its own.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from experiments.errors import ExperimentError, FiguresStale
from experiments.figures.tables import TABLES
from experiments.result import Result

BEGIN: Final = re.compile(r"^<!-- figures: *(?P<name>.*?) *-->\n", re.MULTILINE)
#: A marker that is not where markers are looked for: indented, in a list or a quotation, with more behind it.
STRAY: Final = re.compile(r"^(?!<!-- (?:figures:.*|/figures )-->$)[ \t>*-]*<!-- */?figures\b.*$", re.MULTILINE)
END: Final = re.compile(r"^<!-- /figures -->$", re.MULTILINE)
COMMAND: Final = "secure-api experiments figures"


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two markers of a document, and where in its text."""

    path: Path
    name: str
    begin: int
    end: int
    text: str


def write_figures(result: Result, paths: Iterable[Path]) -> list[Path]:
    """Write the figures of a result into documents; returns those that changed.

    Raises ExperimentError: a block without an end or of a name that no table has, a marker that is indented, an
    experiment that the result lacks, a document that cannot be read or written. No document is touched then, unless
    writing one failed.
    """
    texts = {path: (before := _read(path), _with_figures(before, path, result)) for path in paths}
    changed = [path for path, (before, after) in texts.items() if before != after]
    for path in changed:
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(texts[path][1], encoding="utf-8")
            os.replace(part, path)
        except OSError as error:
            raise ExperimentError(f"{path}: {error.strerror or error}") from error
    return changed


def check_figures(result: Result, paths: Iterable[Path]) -> None:
    """Hold the figures of documents against a result. Raises FiguresStale, naming file and block; ExperimentError."""
    for block in blocks(paths):
        if block.text != _figures(block, result):
            raise FiguresStale(f"{block.path}: figures {block.name!r} are not those of the result; run: {COMMAND}")


def blocks(paths: Iterable[Path]) -> list[Block]:
    """Find the blocks of documents. Raises ExperimentError: a document cannot be read, a block has no end."""
    return [block for path in paths for block in _blocks(_read(path), path)]


def documents(root: Path) -> list[Path]:
    """List the documents of a checkout that figures may stand in: README.md and docs/*.md."""
    return [path for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))) if path.is_file()]


def committed_result(root: Path) -> Result | None:
    """Find what a checkout's figures come from: of the results in docs/results the newest with the most experiments.

    Experiments that it lacks are taken from newer ones, which measured just those. None: no result is committed. Raises
    ResultUnreadable when one of them is no result.
    """
    from experiments.storage import load

    results = [load(path.parent) for path in (root / "docs" / "results").glob("*/result.json")]
    if not results:
        return None
    base = max(results, key=lambda result: (len(result.experiments), result.started))
    found = {one.name: one for one in base.experiments}
    for result in sorted(results, key=lambda result: result.started, reverse=True):
        if result.started > base.started and result.scale == base.scale:
            found = {**{one.name: one for one in result.experiments if one.name not in found}, **found}
    return base.model_copy(update={"experiments": list(found.values())})


def _blocks(text: str, path: Path) -> list[Block]:
    found = []
    if (stray := STRAY.search(text)) is not None:
        line = text.count("\n", 0, stray.start()) + 1
        raise ExperimentError(f"{path}: line {line}: a marker of figures stands on a line of its own, not indented")
    for begin in BEGIN.finditer(text):
        end, following = END.search(text, begin.end()), BEGIN.search(text, begin.end())
        if end is None or (following is not None and following.start() < end.start()):
            raise ExperimentError(f"{path}: figures {begin['name']!r} have no end: <!-- /figures -->")
        found.append(Block(path, begin["name"], begin.end(), end.start(), text[begin.end() : end.start()]))
    return found


def _with_figures(text: str, path: Path, result: Result) -> str:
    for block in reversed(_blocks(text, path)):
        text = text[: block.begin] + _figures(block, result) + text[block.end :]
    return text


def _figures(block: Block, result: Result) -> str:
    if block.name not in TABLES:
        raise ExperimentError(f"{block.path}: no figures are called {block.name!r}; there are: {', '.join(TABLES)}")
    try:
        return f"{TABLES[block.name](result)}\n"
    except ExperimentError as error:
        raise ExperimentError(f"{block.path}: figures {block.name!r}: {error}") from error
    except KeyError as error:
        raise ExperimentError(f"{block.path}: figures {block.name!r}: an arm has no factor {error}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: cannot be read: {error}") from error
