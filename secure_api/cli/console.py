"""Printing: data to stdout, everything said to a person to stderr.

What others wrote (a server's answer, a file's content) never reaches a terminal raw: control characters and
bidirectional overrides, which could rewrite what the person sees, are printed as escapes.
"""

import json
import os
import re
import sys
from typing import Any, Final, Literal

from rich.console import Console
from rich.json import JSON
from rich.table import Table
from rich.text import Text

UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

COLORS: Final[Literal["auto"] | None] = None if os.environ.get("NO_COLOR") else "auto"

stdout = Console(color_system=COLORS, highlight=False, soft_wrap=True)
stderr = Console(color_system=COLORS, stderr=True, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """Escape what a terminal would obey instead of showing it; line feeds and tabs stay."""
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say(text: str) -> None:
    """Say something to the person, on stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Warn the person, on stderr, in one line."""
    _label("warning: ", "yellow", text)


def complain(text: str, hint: str | None = None) -> None:
    """Say what went wrong, on stderr, and what may help."""
    _label("error: ", "bold red", text)
    if hint is not None:
        _label("hint: ", "cyan", hint)


def put(text: str) -> None:
    """Print a line of data, on stdout."""
    print(printable(text))


def put_bytes(data: bytes) -> None:
    """Print bytes as they are, on stdout; on a terminal, as text."""
    if stdout.is_terminal:
        put(data.decode(errors="backslashreplace").removesuffix("\n"))
    elif sys.stdout is not None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def put_json(value: Any) -> None:
    """Print JSON: colored on a terminal, one plain document elsewhere."""
    # An escape of `printable` is an escape of JSON too, so the document stays the same.
    text = printable(json.dumps(value, ensure_ascii=False, indent=2))
    if stdout.is_terminal:
        stdout.print(JSON(text))
    else:
        print(text)


def put_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table: drawn on a terminal, tab-separated without a heading elsewhere."""
    if not stdout.is_terminal:
        for row in rows:
            print("\t".join(printable(cell).replace("\t", " ").replace("\n", " ") for cell in row))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    stdout.print(table, soft_wrap=False)


def _label(label: str, style: str, text: str) -> None:
    if stderr.is_terminal:
        stderr.print(Text.assemble((label, style), printable(text)))
    else:
        say(label + text)
