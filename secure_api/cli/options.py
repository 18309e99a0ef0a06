"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer


def _folder(text: str) -> Path:
    """Read the name of a folder: the empty one, which a shell makes of a variable that is not set, is none.

    Raises:
        typer.BadParameter: it is empty, or names a file.
    """
    if not text.strip():
        raise typer.BadParameter("the name of the folder is empty; write . for this one")
    path = Path(text)
    if path.is_file():
        raise typer.BadParameter(f"{text} is a file, not a folder")
    return path


Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        envvar="SECURE_API_HOME",
        help="Folder of the database, the server's keys and its configuration; the user's data folder unless given.",
        parser=_folder,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        envvar="SECURE_API_CONFIG",
        help="Folder of the profiles; the user's own unless given.",
        parser=_folder,
    ),
]
Profile = Annotated[
    str, typer.Option("--profile", "-p", metavar="NAME", envvar="SECURE_API_PROFILE", help="Profile to act as.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="File (mode 0600) with the key's passphrase."),
]
NoPassphrase = Annotated[bool, typer.Option("--no-passphrase", help="Write the private key unencrypted.")]
Keys = Annotated[
    list[Path], typer.Option("--key", "-k", metavar="FILE", help="Private key (PEM); twice for a hybrid pair.")
]
Body = Annotated[
    str | None,
    typer.Option("--json", "-j", metavar="TEXT|@FILE|-", help="JSON body, sent byte for byte; - reads stdin."),
]
Headers = Annotated[
    list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="Another header field; repeatable.")
]
AnyHost = Annotated[bool, typer.Option("--any-host", help="Sign for another server than the profile's, too.")]
ServerKeyid = Annotated[
    str | None,
    typer.Option("--server-keyid", metavar="KEYID", help="Key that the server must have; its operator knows it."),
]
