"""A command whose help ends with examples, printed as they are typed."""

import sys
from typing import Any

from typer.core import TyperCommand


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
