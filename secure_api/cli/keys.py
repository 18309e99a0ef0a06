"""`secure-api keys`: make, show, list, rotate and revoke keys."""

from pathlib import Path
from typing import Annotated

import typer

from crypto import ALGORITHMS, CryptoError, PrivateKey, PublicKey, SignatureAlgorithm, write_private_key
from secure_api.cli.console import put, put_json, put_table, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_keys, read_profile
from secure_api.cli.options import Config, Json, NoPassphrase, PassphraseFile, Profile
from secure_api.cli.passphrase import new_passphrase

app = typer.Typer(help="Make, show, list, rotate and revoke keys.", no_args_is_help=True)

Algorithm = Annotated[SignatureAlgorithm, typer.Option("--algorithm", "-a", help="Algorithm of the key.")]


@app.command(
    epilog="Examples:\n\n`secure-api keys generate --algorithm ml-dsa-65 --out key.pem`\n\n"
    "`secure-api keys generate -a ed25519 --out classic.pem --passphrase-file secret.txt --json`"
)
def generate(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.", dir_okay=False)],
    algorithm: Algorithm = SignatureAlgorithm.ML_DSA_65,
    no_passphrase: NoPassphrase = False,
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Json = False,
) -> None:
    """Make a private key: PKCS#8 PEM in seed form, encrypted, mode 0600."""
    key = PrivateKey.generate(algorithm)
    save_key(out, key, None if no_passphrase else required_passphrase(passphrase_file, str(out)), force=force)
    report = {"keyid": key.keyid, "algorithm": algorithm.value, "file": str(out)}
    if json:
        put_json(report)
    else:
        put(key.keyid)
        say(f"{algorithm.value} key written to {out}" + (" without a passphrase" if no_passphrase else ""))


@app.command(epilog="Examples:\n\n`secure-api keys show key.pem --jwk`\n\n`secure-api keys show key.pem --public-pem`")
def show(
    file: Annotated[Path, typer.Argument(help="Private or public key, PEM.", dir_okay=False)],
    jwk: Annotated[bool, typer.Option("--jwk", help="Print the public key as a JWK.")] = False,
    public_pem: Annotated[bool, typer.Option("--public-pem", help="Print the public key as PEM.")] = False,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Show the public side of a key: keyid and algorithm, or the public key itself."""
    key = read_public(file, passphrase_file)
    if jwk:
        put_json(key.jwk())
    elif public_pem:
        put(key.pem().decode().rstrip())
    elif json:
        put_json({"keyid": key.keyid, "algorithm": key.algorithm.value})
    else:
        info = ALGORITHMS[key.algorithm]
        put_table(
            ["keyid", "algorithm", "standard", "public key", "signature"],
            [
                [
                    key.keyid,
                    key.algorithm.value,
                    info.standard,
                    f"{info.public_key_bytes} B",
                    f"{info.signature_bytes} B",
                ]
            ],
        )


@app.command("list", epilog="Examples:\n\n`secure-api keys list --profile clinic-a`")
def list_keys(profile: Profile, config: Config = None, json: Json = False) -> None:
    """List the keys of the calling client, the newest first."""
    from secure_api.cli.api_call import call

    client = call(profile, config, "GET", "/v1/clients/me")
    if json:
        put_json(client["keys"])
    else:
        put_table(
            ["keyid", "algorithm", "status"],
            [[key["keyid"], key["algorithm"], key["status"]] for key in client["keys"]],
        )


@app.command(epilog="Examples:\n\n`secure-api keys rotate --profile clinic-a --key new.pem`")
def rotate(
    profile: Profile,
    key: Annotated[list[Path], typer.Option("--key", "-k", help="New private key; twice for a hybrid pair.")],
    passphrase_file: PassphraseFile = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Replace the profile's keys by new ones; the request is signed by the old and the new."""
    from dataclasses import replace

    from secure_api.cli.api_call import check, send
    from secure_api.client import ProfileStore, SignatureAuth

    stored, old = read_profile(profile, config)
    new = read_keys(key, passphrase_file)
    body = enrollment_body(None, None, new)
    response = send(stored.url, "POST", "/v1/clients/me/keys", body, SignatureAuth(*old, *new))
    check(response)
    ProfileStore(config).put(
        replace(
            stored,
            keys=tuple(path.resolve() for path in key),
            passphrase_file=passphrase_file.resolve() if passphrase_file else None,
        )
    )
    if json:
        put_json(response.json())
    else:
        say(f"profile {profile} signs with {', '.join(item.keyid for item in new)} now")


@app.command(epilog="Examples:\n\n`secure-api keys revoke KEYID --profile admin`")
def revoke(
    keyid: Annotated[str, typer.Argument(help="Key to revoke.")], profile: Profile, config: Config = None
) -> None:
    """Revoke a key: one's own, or any of the organization for an admin. There is no way back."""
    from urllib.parse import quote

    from secure_api.cli.api_call import call

    call(profile, config, "DELETE", f"/v1/keys/{quote(keyid, safe='')}")
    say(f"{keyid} is revoked")


def required_passphrase(file: Path | None, what: str) -> bytes:
    """Give the passphrase for a new key.

    Raises:
        CliError: there is none, and no terminal to ask on.
    """
    passphrase = new_passphrase(file, what)
    if passphrase is None:
        raise CliError(
            f"{what} needs a passphrase",
            ExitCode.KEY,
            "set SECURE_API_PASSPHRASE, use --passphrase-file FILE, or say --no-passphrase",
        )
    return passphrase


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


def read_public(file: Path, passphrase_file: Path | None) -> PublicKey:
    """Read the public key of a file that holds a public or a private one.

    Raises:
        CliError: the file cannot be read.
        CryptoError: it holds neither.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}", ExitCode.KEY) from error
    if b"PRIVATE KEY" in data:
        return read_keys([file], passphrase_file)[0].public_key
    if data.lstrip().startswith(b"{"):
        return public_from_jwk(data)
    return PublicKey.from_pem(data)


def public_from_jwk(data: bytes) -> PublicKey:
    """Read a public key from JWK text.

    Raises:
        CryptoError: it is none.
    """
    import json

    from crypto import KeyFormatError

    try:
        members = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise KeyFormatError("the JWK is not JSON") from error
    if not isinstance(members, dict):
        raise CryptoError("the JWK is not an object")
    return PublicKey.from_jwk(members)


def enrollment_body(token: str | None, name: str | None, keys: tuple[PrivateKey, ...]) -> bytes:
    """Write the body that presents keys for enrollment or rotation."""
    import json

    members: dict[str, object] = {"keys": [key.public_key.jwk() for key in keys]}
    if token is not None:
        members["token"] = token
    if name is not None:
        members["name"] = name
    return json.dumps(members).encode()
