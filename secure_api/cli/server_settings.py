"""The server's settings for a command on the server's machine, with the passphrase that its key wants."""

import os
from pathlib import Path
from typing import Final

from crypto import PassphraseError, read_private_key, read_secret_file
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.passphrase import VARIABLE, opening_passphrase
from secure_api.settings import Settings

FILE_VARIABLE: Final = f"{VARIABLE}_FILE"


def load_settings(home: Path | None, passphrase_file: Path | None = None) -> Settings:
    """Read the settings; on a terminal, ask for the passphrase of the server's key when nothing gives it.

    A passphrase that was named or entered goes into the environment, where the server's workers look for it.

    Raises:
        ConfigurationError: a setting makes no sense.
        CliError: the passphrase that was entered does not open the key.
        CryptoError: the key file cannot be read.
    """
    if passphrase_file is not None:
        os.environ.pop(VARIABLE, None)
        os.environ[FILE_VARIABLE] = str(passphrase_file.resolve())
    settings = Settings.load(home)
    path = settings.server_key_path
    if path.exists() and settings.read_passphrase() is None and b"ENCRYPTED PRIVATE KEY" in read_secret_file(path):
        passphrase = opening_passphrase(None, str(path))
        if passphrase is not None:
            try:
                read_private_key(path, passphrase.secret)
            except PassphraseError as error:
                said = f"The server's key cannot be used: {error} (the passphrase {passphrase.source})"
                raise CliError(said, ExitCode.KEY) from error
            os.environ[VARIABLE] = os.fsdecode(passphrase.secret)
            settings = Settings.load(home)
    return settings
