"""A command whose help ends with examples, printed as they are typed."""

import re
import sys
from typing import Any, Final

from typer.core import TyperCommand

_HYPHENED_KEYID: Final = re.compile(r"-[A-Za-z0-9_-]{42}")


class Command(TyperCommand):
    """A Typer command; its `epilog` holds examples, one a line, that are neither wrapped nor taken for markup."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help (Typer calls this)."""
        examples, self.epilog = self.epilog, None
        try:
            super().format_help(ctx, formatter)
        finally:
            self.epilog = examples
        if examples:
            sys.stdout.write(" Examples:\n\n" + "".join(f"   {line}\n" for line in examples.splitlines()) + "\n")


class KeyidCommand(Command):
    """A command with a keyid as its argument: one in 64 of them begins with a hyphen, and is no option for that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line (Typer calls this)."""
        keyids = [word for word in args if _HYPHENED_KEYID.fullmatch(word)]
        if keyids and "--" not in args:
            args = [*(word for word in args if word not in keyids), "--", *keyids]
        return super().parse_args(ctx, args)
