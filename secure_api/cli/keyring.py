"""Reading and writing keys for a command, asking for a passphrase only when a key wants one."""

import json
from collections.abc import Sequence
from pathlib import Path

from crypto import KeyFormatError, PassphraseError, PrivateKey, PublicKey, read_secret_file, write_private_key
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.passphrase import new_passphrase, opening_passphrase
from secure_api.client.profiles import ClientProfile, ProfileStore, read_private_key_maybe_open

_PASSPHRASE_HINT = "set SECURE_API_PASSPHRASE, or use --passphrase-file FILE"  # noqa: S105 - a sentence
MAX_PUBLIC_BYTES = 1 << 16


def read_keys(paths: Sequence[Path], passphrase_file: Path | None) -> tuple[PrivateKey, ...]:
    """Read key files; the passphrase, when one is encrypted, is the same for all.

    Raises:
        CliError: an encrypted key and no passphrase, or a wrong one: the text says where that came from.
        CryptoError: a file cannot be used.
    """
    if not any(b"ENCRYPTED PRIVATE KEY" in read_secret_file(path) for path in paths):
        return tuple(read_private_key_maybe_open(path, None) for path in paths)
    passphrase = opening_passphrase(passphrase_file, str(paths[0]))
    if passphrase is None:
        raise CliError(f"{paths[0]} is encrypted, and no passphrase was given", ExitCode.KEY, _PASSPHRASE_HINT)
    try:
        return tuple(read_private_key_maybe_open(path, passphrase.secret) for path in paths)
    except PassphraseError as error:
        raise CliError(f"{error} (the passphrase {passphrase.source})", ExitCode.KEY) from error


def read_profile(name: str, config: Path | None) -> tuple[ClientProfile, tuple[PrivateKey, ...]]:
    """Read a profile and its keys.

    Raises:
        ClientError, CryptoError, CliError: it cannot be used.
    """
    profile = ProfileStore(config).get(name)
    return profile, read_keys(profile.keys, profile.passphrase_file)


def read_public(file: Path, passphrase_file: Path | None) -> PublicKey:
    """Read the public key of a file that holds a PEM (public or private) or a JWK.

    Raises:
        CliError: the file cannot be read.
        CryptoError: it holds none of these.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_PUBLIC_BYTES)
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}", ExitCode.KEY) from error
    try:
        if b"PRIVATE KEY" in data:
            return read_keys([file], passphrase_file)[0].public_key
        return _from_jwk(data) if data.lstrip().startswith(b"{") else PublicKey.from_pem(data)
    except KeyFormatError as error:
        text = str(error)
        raise CliError(text if str(file) in text else f"{file}: {text}", ExitCode.KEY) from error


def save_key(path: Path, key: PrivateKey, passphrase: bytes | None, *, force: bool = False) -> None:
    """Write a private key, making its folder when it is missing.

    Raises:
        CliError: the folder cannot be made.
        CryptoError: the file is there already, or cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"cannot make {path.parent}: {error.strerror}", ExitCode.KEY) from error
    write_private_key(path, key, passphrase, force=force)


def required_passphrase(file: Path | None, what: str) -> bytes:
    """Give the passphrase for a new key.

    Raises:
        CliError: there is none and no terminal to ask on, or it is too short.
    """
    passphrase = new_passphrase(file, what)
    if passphrase is None:
        raise CliError(f"{what} needs a passphrase", ExitCode.KEY, f"{_PASSPHRASE_HINT}, or say --no-passphrase")
    return passphrase


def _from_jwk(data: bytes) -> PublicKey:
    try:
        members = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise KeyFormatError("not JSON, so no JWK") from error
    return PublicKey.from_jwk(members)
