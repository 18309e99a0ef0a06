"""Reading private keys for a command, asking for the passphrase only when a key wants one."""

from collections.abc import Sequence
from pathlib import Path

from crypto import PassphraseError, PrivateKey, read_secret_file
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.passphrase import opening_passphrase
from secure_api.client.profiles import ClientProfile, ProfileStore, read_private_key_maybe_open


def read_keys(paths: Sequence[Path], passphrase_file: Path | None) -> tuple[PrivateKey, ...]:
    """Read key files; the passphrase, when one is encrypted, is the same for all.

    Raises:
        CliError: an encrypted key and no passphrase.
        CryptoError: a file cannot be used.
    """
    passphrase: bytes | None = None
    if any(b"ENCRYPTED PRIVATE KEY" in read_secret_file(path) for path in paths):
        passphrase = opening_passphrase(passphrase_file, str(paths[0]))
        if passphrase is None:
            raise CliError(
                f"{paths[0]} is encrypted, and no passphrase was given",
                ExitCode.KEY,
                "set SECURE_API_PASSPHRASE, or use --passphrase-file FILE",
            )
    return tuple(read_private_key_maybe_open(path, passphrase) for path in paths)


def read_profile(name: str, config: Path | None) -> tuple[ClientProfile, tuple[PrivateKey, ...]]:
    """Read a profile and its keys.

    Raises:
        ClientError, CryptoError, CliError: it cannot be used.
    """
    profile = ProfileStore(config).get(name)
    try:
        return profile, read_keys(profile.keys, profile.passphrase_file)
    except PassphraseError as error:
        raise CliError(f"profile {name}: {error}", ExitCode.KEY) from error
