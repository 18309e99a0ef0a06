"""`secure-api keys`: make, show, list, rotate and revoke keys, and pin the server's."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from crypto import ALGORITHMS, PrivateKey, SignatureAlgorithm
from secure_api.cli.command import Command, KeyidCommand
from secure_api.cli.console import put, put_json, put_table, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_keys, read_profile, read_public, required_passphrase, save_key
from secure_api.cli.options import Config, Json, Keys, NoPassphrase, PassphraseFile, Profile, ServerKeyid

app = typer.Typer(help="Make, show, list, rotate and revoke keys.", no_args_is_help=True)


@app.command(
    cls=Command,
    epilog="secure-api keys generate --algorithm ml-dsa-65 --out key.pem\n"
    "secure-api keys generate -a ed25519 --out classic.pem --passphrase-file secret.txt --json\n"
    "SECURE_API_PASSPHRASE='correct horse battery' secure-api keys generate --out key.pem",
)
def generate(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="File to write (mode 0600).", dir_okay=False)
    ],
    algorithm: Annotated[
        SignatureAlgorithm, typer.Option("--algorithm", "-a", help="Algorithm of the key.")
    ] = SignatureAlgorithm.ML_DSA_65,
    no_passphrase: NoPassphrase = False,
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Json = False,
) -> None:
    """Make a private key (PKCS#8 PEM in seed form, encrypted); prints its keyid."""
    if out.exists() and not force:
        raise CliError(f"{out} is there already", ExitCode.KEY, "take another name, or say --force")
    passphrase = None if no_passphrase else required_passphrase(passphrase_file, str(out))
    key = PrivateKey.generate(algorithm)
    save_key(out, key, passphrase, force=force)
    if json:
        put_json({"keyid": key.keyid, "algorithm": algorithm.value, "file": str(out)})
    else:
        put(key.keyid)
        say(f"{algorithm.value} key written to {out}" + (" without a passphrase" if no_passphrase else ""))


@app.command(
    cls=Command,
    epilog="secure-api keys show key.pem\n"
    "secure-api keys show key.pem --public-pem > public.pem\n"
    "secure-api keys show public.pem --jwk",
)
def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Private or public key (PEM), or a JWK.", dir_okay=False)
    ],
    jwk: Annotated[bool, typer.Option("--jwk", help="Print the public key as a JWK.")] = False,
    public_pem: Annotated[bool, typer.Option("--public-pem", help="Print the public key as PEM.")] = False,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Show the public side of a key: keyid and algorithm, or the public key itself."""
    if jwk + public_pem + json > 1:
        raise CliError("--jwk, --public-pem and --json exclude each other", ExitCode.USAGE)
    key = read_public(file, passphrase_file)
    info = ALGORITHMS[key.algorithm]
    if jwk:
        put_json(key.jwk())
    elif public_pem:
        put(key.pem().decode().rstrip())
    elif json:
        put_json({"keyid": key.keyid, "algorithm": key.algorithm.value, "post_quantum": info.post_quantum})
    else:
        sizes = [f"{info.public_key_bytes} B", f"{info.signature_bytes} B"]
        put_table(
            ["keyid", "algorithm", "standard", "public key", "signature"],
            [[key.keyid, key.algorithm.value, info.standard, *sizes]],
        )


@app.command(
    "list",
    cls=Command,
    epilog="secure-api keys list --profile clinic-a\nsecure-api keys list -p clinic-a --json | jq -r '.[].keyid'",
)
def list_keys(profile: Profile, config: Config = None, json: Json = False) -> None:
    """List the keys of the calling client, the newest first."""
    from secure_api.cli.api_call import call

    keys = call(profile, config, "GET", "/v1/clients/me")["keys"]
    if json:
        put_json(keys)
    else:
        put_table(["keyid", "algorithm", "status"], [[key["keyid"], key["algorithm"], key["status"]] for key in keys])


@app.command(
    cls=Command,
    epilog="secure-api keys generate --out new.pem && secure-api keys rotate --profile clinic-a --key new.pem\n"
    "secure-api keys rotate --profile clinic-a --key pq.pem --key classic.pem",
)
def rotate(
    profile: Profile,
    key: Keys,
    passphrase_file: PassphraseFile = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Replace the profile's keys by new ones; the request is signed by the old and by the new.

    When the answer to a rotation was lost, the same command again finds that it happened.
    """
    from secure_api.cli.api_call import server_key_of
    from secure_api.cli.rotation import present_new_keys
    from secure_api.client import ProfileStore

    stored, old = read_profile(profile, config)
    secret = stored.passphrase_file if passphrase_file is None else passphrase_file.resolve()
    new = read_keys(key, secret)
    store = ProfileStore(config)
    store.prepare()
    client = present_new_keys(stored.url, old, new, server_key_of(stored))
    store.put(replace(stored, keys=tuple(path.resolve() for path in key), passphrase_file=secret))
    if json:
        put_json(client)
    else:
        say(f"profile {profile} signs with {' and '.join(item.keyid for item in new)} now")


@app.command(
    cls=Command,
    epilog="secure-api keys pin --profile clinic-a\n"
    "secure-api keys pin --profile clinic-a --server-keyid=T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o",
)
def pin(profile: Profile, server_keyid: ServerKeyid = None, config: Config = None, json: Json = False) -> None:
    """Fetch the server's public key into the profile: from then on its answers are held to it."""
    from secure_api.cli.server_key import discover, keep, published_key, taken_on_trust
    from secure_api.cli.undo import Undo
    from secure_api.client import ProfileStore

    store = ProfileStore(config)
    stored = store.get(profile)
    key = published_key(stored.url, discover(stored.url), server_keyid)
    with Undo() as undo:
        file = keep(undo, store, profile, key)
        store.put(replace(stored, server_key=file))
    if json:
        put_json({"keyid": key.keyid, "algorithm": key.algorithm.value, "file": str(file)})
    else:
        put(key.keyid)
    if server_keyid is None:
        say(taken_on_trust(stored.url, key))


@app.command(
    cls=KeyidCommand,
    epilog="secure-api keys revoke T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o --profile admin\n"
    "secure-api keys revoke --profile clinic-a --yes KEYID   # one's own: this profile ends",
)
def revoke(
    keyid: Annotated[str, typer.Argument(metavar="KEYID", help="Key to revoke.")],
    profile: Profile,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Revoke even a key that this profile signs with.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Revoke a key: one's own, or any of the organization for an admin. There is no way back."""
    from secure_api.cli.api_call import call

    if not yes and keyid in {key.keyid for key in read_profile(profile, config)[1]}:
        raise CliError(
            f"profile {profile} signs with {keyid} itself, and could do nothing any more",
            ExitCode.USAGE,
            "say --yes to revoke it anyway, or replace it: secure-api keys rotate",
        )
    call(profile, config, "DELETE", f"/v1/keys/{quote(keyid, safe='')}")
    if json:
        put_json({"keyid": keyid, "status": "revoked"})
    else:
        say(f"{keyid} is revoked")
