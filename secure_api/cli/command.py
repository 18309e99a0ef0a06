"""A command whose help ends with examples that can be copied into a shell."""

import re
import sys
from typing import Any, Final

from typer.core import TyperCommand

EXAMPLE_WIDTH: Final = 77  # columns of an 80-column terminal, indented by three
#: A comment, or a word; an option together with its value.
_WORD: Final = re.compile(
    r"""#.*|(?:-[a-zA-Z]|--[a-z-]+)\ (?!-\S|[#|&<>])(?:[^\s'"]|'[^']*'|"[^"]*")+|(?:[^\s'"]|'[^']*'|"[^"]*")+"""
)
_HYPHENED: Final = re.compile(r"-(?:[A-Za-z0-9_-]{42}|[A-Za-z0-9_-]{31})")


class Command(TyperCommand):
    """A Typer command; its `epilog` holds examples, one a line, that are folded as a shell allows it."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help (Typer calls this)."""
        examples, self.epilog = self.epilog, None
        try:
            super().format_help(ctx, formatter)
        finally:
            self.epilog = examples
        if examples:
            lines = [line for example in examples.splitlines() for line in folded(example)]
            sys.stdout.write(" Examples:\n\n" + "".join(f"   {line}\n" for line in lines) + "\n")


def folded(example: str, width: int = EXAMPLE_WIDTH) -> list[str]:
    """Fold a shell command between its words, as the shell reads it: a backslash ends each line but the last."""
    lines = [""]
    for word in _WORD.findall(example):
        if lines[-1] and len(lines[-1]) + len(word) + len(" " + " \\") > width:
            lines[-1] += " \\"
            lines.append("  ")
        lines[-1] += word if not lines[-1].strip() else f" {word}"
    return lines


class KeyidCommand(Command):
    """A command with a keyid or a session's name: one in 64 of them begins with a hyphen, and is no option for that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line (Typer calls this)."""
        keyids = [word for word in args if _HYPHENED.fullmatch(word)]
        if keyids and "--" not in args:
            args = [*(word for word in args if word not in keyids), "--", *keyids]
        return super().parse_args(ctx, args)
