"""Printing: data to stdout, everything said to a person to stderr."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.json import JSON
from rich.table import Table

stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Say something to the person, on stderr."""
    stderr.print(text, markup=False)


def put(text: str) -> None:
    """Print a line of data, on stdout."""
    stdout.print(text, markup=False)


def put_json(value: Any) -> None:
    """Print JSON: coloured on a terminal, one plain document elsewhere."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if stdout.is_terminal:
        stdout.print(JSON(text))
    else:
        sys.stdout.write(text + "\n")


def put_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table: drawn on a terminal, tab-separated elsewhere."""
    if not stdout.is_terminal:
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    stdout.print(table)
