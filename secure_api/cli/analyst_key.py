"""`secure-api study key` and `study decrypt`: the key of who reads encrypted sums."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from secure_api.cli.console import put, put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Json, NoPassphrase, PassphraseFile, Profile
from secure_api.cli.study_channel import studies_of

KEY_EXAMPLES: Final = """\
secure-api study key --output analyst.key
secure-api study key -o analyst.key --parameters ckks-8192"""
DECRYPT_EXAMPLES: Final = """\
secure-api study decrypt 4f0c2a1e-6a55-4f0e-9c51-0f7d3c1b2a90 --key analyst.key -p institute
secure-api study decrypt 4f0c2a1e-6a55-4f0e-9c51-0f7d3c1b2a90 -k analyst.key -p institute --json | jq .values"""

StudyId = Annotated[str, typer.Argument(metavar="STUDY", help="Identifier of the study.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.", dir_okay=False)]


def make(
    output: Output,
    parameters: Annotated[
        str, typer.Option("--parameters", metavar="NAME", help="bfv-8192: exact sums; ckks-8192: approximate ones.")
    ] = "bfv-8192",
    decryptions: Annotated[
        int, typer.Option("--decryptions", min=1, max=1024, help="Results that the key may decrypt.")
    ] = 16,
    passphrase_file: PassphraseFile = None,
    no_passphrase: NoPassphrase = False,
) -> None:
    """Make an analyst's key for encrypted sums; whoever has it reads results, and could read contributions."""
    from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey
    from secure_api.cli.keyring import required_passphrase

    chosen = HOMOMORPHIC_PARAMETERS.get(parameters)
    if chosen is None:
        raise CliError(f"there are {', '.join(HOMOMORPHIC_PARAMETERS)}", ExitCode.USAGE)
    passphrase = None if no_passphrase else required_passphrase(passphrase_file, str(output))
    made = AnalystKey.create(chosen, decryptions=decryptions)
    made.save(output, passphrase)
    say(f"key written to {output}; it decrypts {decryptions} results")
    put(made.fingerprint)


def decrypt(
    study: StudyId,
    key: Annotated[Path, typer.Option("--key", "-k", metavar="FILE", help="The analyst's key.", dir_okay=False)],
    profile: Profile,
    config: Config = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Decrypt the result of a study; the key counts it, and decrypts no more than it may."""
    passphrase = _passphrase_of(key, passphrase_file)
    with studies_of(profile, config) as studies:
        found = studies.get(study)
        done = studies.decrypt(found, key, passphrase)
    told = {
        "study": study,
        "statistic": found.get("statistic"),
        "values": done.values.tolist(),
        "error_bound": done.bound,
        "noise": done.noise,
        "contributors": done.contributors,
        "decryptions_left": done.decryptions_left,
    }
    if json:
        put_json(told)
        return
    for value in told["values"]:
        put(repr(value))
    noise = f", and noise of standard deviation {done.noise:.3g}" if done.noise else ""
    say(
        f"of {done.contributors} contributions; wrong by {done.bound:.3g} at most{noise}; "
        f"{done.decryptions_left} more results"
    )


def read_analyst_key(path: Path, passphrase_file: Path | None) -> Any:
    """Read an analyst's key; asks for the passphrase of an encrypted one.

    Raises CliError when none was given, and what `AnalystKey.load` raises.
    """
    from crypto.homomorphic import AnalystKey

    return AnalystKey.load(path, _passphrase_of(path, passphrase_file))


def _passphrase_of(path: Path, file: Path | None) -> bytes | None:
    from crypto.homomorphic.analyst_key import is_encrypted
    from secure_api.cli.passphrase import opening_passphrase

    if not is_encrypted(path):
        return None
    passphrase = opening_passphrase(file, str(path))
    if passphrase is None:
        raise CliError(f"{path} is encrypted, and no passphrase was given", ExitCode.KEY, "--passphrase-file FILE")
    return passphrase.secret
