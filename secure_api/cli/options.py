"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="SECURE_API_HOME",
        help="Folder of the database, the server's keys and its configuration.",
        file_okay=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="SECURE_API_CONFIG",
        help="Folder of the profiles; the user's own unless given.",
        file_okay=False,
    ),
]
Profile = Annotated[str, typer.Option("--profile", "-p", envvar="SECURE_API_PROFILE", help="Profile to act as.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File that holds the key's passphrase.", dir_okay=False)
]
NoPassphrase = Annotated[bool, typer.Option("--no-passphrase", help="Write the private key unencrypted.")]
