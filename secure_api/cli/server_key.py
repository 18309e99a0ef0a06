"""The server's public key on the client's side: learned from the server or from its operator, and kept in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from crypto import CryptoError, PublicKey, write_secret_file
from secure_api.cli.api_call import hint_for, send
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.target import target
from secure_api.cli.undo import Undo
from secure_api.client import ProfileStore, ServerUnusable, read_discovery

FOLDER: Final = "keys"  # in the folder of the profiles, beside the admin's own key
_IS_IT_OURS: Final = "is that URL a secure-api server's?"


def discover(url: str) -> dict[str, Any]:
    """Fetch what a server says of itself. Nobody signs that.

    Raises:
        CliError: there is no answer, or it holds no such document.
    """
    response = send("GET", target(url, "/.well-known/secure-api"), b"", httpx.Auth())
    try:
        return read_discovery(response)
    except ServerUnusable as error:
        hint = hint_for(response) if response.is_redirect else _IS_IT_OURS
        raise CliError(f"{url}: {error}", ExitCode.of_status(error.status), hint) from error


def published_key(url: str, discovery: Mapping[str, Any], keyid: str | None) -> PublicKey:
    """Give the signing key that a server names: the first one, or the one that is demanded.

    Raises:
        CliError: it names none, or not the one that is demanded.
    """
    jwks = discovery.get("keys")
    try:
        keys = [PublicKey.from_jwk(jwk) for jwk in jwks] if isinstance(jwks, list) else []
    except (CryptoError, TypeError) as error:
        raise CliError(f"{url} names a signing key that makes no sense: {error}", hint=_IS_IT_OURS) from error
    if not keys:
        raise CliError(f"{url} names no signing key", hint=_IS_IT_OURS)
    if keyid is None:
        return keys[0]
    for key in keys:
        if key.keyid == keyid:
            return key
    raise CliError(
        f"{url} has not the key {keyid}: it names {' and '.join(key.keyid for key in keys)}",
        ExitCode.REFUSED,
        "nothing was sent to it; ask whoever runs the server which keyid is right",
    )


def keep(undo: Undo, store: ProfileStore, profile: str, key: PublicKey) -> Path:
    """Write the server's key of a profile as PEM, among the keys in the folder of the profiles; gives the file.

    The name holds the keyid: a profile never points at a file that has another key than when it was written.

    Raises:
        CliError, CryptoError: it cannot be written.
    """
    path = store.folder.resolve() / FOLDER / f"{quote(profile, safe='')}.server-{key.keyid}.pem"
    try:
        undo.folder(path.parent)
        undo.will_change(path)
    except OSError as error:
        raise CliError(f"cannot write {path}: {error.strerror}", ExitCode.KEY) from error
    write_secret_file(path, key.pem(), force=True)
    return path


def taken_on_trust(url: str, key: PublicKey) -> str:
    """Say that a server was believed about its own key, and how to find out whether that was right."""
    return f"the server's key is {key.keyid}, as {url} itself says; whoever runs the server can say whether it is"
