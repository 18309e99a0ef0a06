"""Options that several commands of `secure-api experiments` share."""

from typing import Annotated

import typer

Open = Annotated[bool, typer.Option("--open", help="Open the report in a browser, if there is one.")]
