"""`secure-api study`: statistics over contributions that nobody may see."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from secure_api.cli.command import Command
from secure_api.cli.console import put, put_bytes, put_json, put_table, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Json, NoPassphrase, PassphraseFile, Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_api.client.studies import StudyClient

ID: Final = "4f0c2a1e-6a55-4f0e-9c51-0f7d3c1b2a90"

app = typer.Typer(help="Compute statistics over contributions that nobody may see.", no_args_is_help=True)

StudyId = Annotated[str, typer.Argument(metavar="STUDY", help="Identifier of the study.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.", dir_okay=False)]


@app.command(
    cls=Command,
    epilog="secure-api study key --output analyst.key\nsecure-api study key -o analyst.key --parameters ckks-8192",
)
def key(
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


@app.command(
    cls=Command,
    epilog="secure-api study create stay --statistic mean --dimension 12 --low 0 --high 90 --invite north,south,west "
    "--key analyst.key -p institute\n"
    "secure-api study create flu --method mpc --statistic max --dimension 1 --low 0 --high 1e6 "
    "--invite north,south,west --parties parties.json -p institute",
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the study.")],
    statistic: Annotated[str, typer.Option("--statistic", metavar="NAME", help="sum, mean, variance, histogram, ...")],
    dimension: Annotated[int, typer.Option("--dimension", min=1, help="Values of one contribution.")],
    low: Annotated[float, typer.Option("--low", help="The least that a value may be.")],
    high: Annotated[float, typer.Option("--high", help="The most that a value may be.")],
    invite: Annotated[str, typer.Option("--invite", metavar="NAMES", help="Organizations, separated by commas.")],
    profile: Profile,
    config: Config = None,
    method: Annotated[str, typer.Option("--method", metavar="NAME", help="ckks, mpc or masked.")] = "ckks",
    key: Annotated[
        Path | None, typer.Option("--key", "-k", metavar="FILE", help="Analyst's key (ckks).", dir_okay=False)
    ] = None,
    parties: Annotated[
        Path | None,
        typer.Option("--parties", metavar="FILE", help="JSON list of what `mpc init` printed.", dir_okay=False),
    ] = None,
    roster: Annotated[
        str | None,
        typer.Option("--roster", metavar="KEYIDS", help="Keys of the contributors (masked), separated by commas."),
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option("--argument", "-a", metavar="NAME=NUMBER", help="Argument of the statistic.")
    ] = None,
    minimum: Annotated[int, typer.Option("--minimum", min=2, help="Contributors that must take part.")] = 3,
    days: Annotated[float, typer.Option("--days", min=0, help="Days until the deadline.")] = 7.0,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Create a study; prints its identifier."""
    parameters: dict[str, Any] = {}
    if roster is not None:
        parameters["roster"] = [one.strip() for one in roster.split(",") if one.strip()]
    if arguments := dict(_argument(text) for text in argument or []):
        parameters["arguments"] = arguments
    if parties is not None:
        parameters["parties"] = _read_json(parties)
    with _studies(profile, config) as studies:
        if method == "ckks":
            if key is None:
                raise CliError(
                    "an encrypted study needs the analyst's key", ExitCode.USAGE, "--key FILE; see study key"
                )
            parameters["context"] = studies.upload_context(_analyst_key(key, passphrase_file).public_context)
        made = studies.create(
            {
                "name": name,
                "method": method,
                "statistic": statistic,
                "dimension": dimension,
                "bounds": {"low": low, "high": high},
                "contributors": [one.strip() for one in invite.split(",") if one.strip()],
                "minimum_contributors": minimum,
                "deadline": (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z"),
                "parameters": parameters,
            }
        )
    if json:
        put_json(made)
    else:
        put(str(made.get("id")))


@app.command("list", cls=Command, epilog="secure-api study list -p clinic-a\nsecure-api study list -p clinic-a --json")
def list_studies(profile: Profile, config: Config = None, json: Json = False) -> None:
    """List the studies of one's organization, and those that it is invited to."""
    with _studies(profile, config) as studies:
        found = studies.all()
    if json:
        put_json(found)
        return
    columns = ["id", "name", "method", "statistic", "state", "deadline"]
    put_table(columns, [[str(study.get(column)) for column in columns] for study in found])


@app.command(cls=Command, epilog=f"secure-api study status {ID} -p clinic-a")
def status(study: StudyId, profile: Profile, config: Config = None, json: Json = False) -> None:
    """Tell where a study is, and how many have contributed."""
    with _studies(profile, config) as studies:
        found = studies.get(study)
    if json:
        put_json(found)
        return
    put_table(["", ""], [[name, _cell(value)] for name, value in found.items() if name != "parameters"])


@app.command(
    cls=Command,
    epilog=f"secure-api study contribute {ID} stays.csv --column days -p clinic-a\n"
    f"secure-api study contribute {ID} stays.npy -p clinic-a --dry-run",
)
def contribute(
    study: StudyId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, .ndjson or .npy.", dir_okay=False)],
    profile: Profile,
    config: Config = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="Column of a CSV, or member of JSON objects.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Encrypt, and tell what would be sent.")] = False,
    json: Json = False,
) -> None:
    """Encrypt the values of a file for a study, and send them; a client contributes once.

    In a masked study this stays until the sum is released, and prints it: the masks take several rounds.
    """
    from hashlib import sha256

    from rich.progress import track

    from secure_api.cli.console import stderr
    from secure_api.cli.contribution_file import read_values
    from secure_api.cli.keyring import read_profile

    signer = read_profile(profile, config)[1][0]
    with _studies(profile, config) as studies:
        found = studies.get(study)

        def progress(lines: Any) -> Any:
            return track(lines, "reading", console=stderr, transient=True, disable=not stderr.is_terminal)

        values = read_values(file, column, int(found.get("dimension", 0)), progress)
        if found.get("method") == "masked" and not dry_run:
            outcome = studies.take_part(found, values, signer, told=say)
            put_json(outcome)
            return
        content = studies.prepare(found, values, signer.public_key.keyid)
        digest = sha256(content).hexdigest()
        if not dry_run:
            studies.contribute(study, content)
    told = {"study": study, "values": len(values), "bytes": len(content), "sha256": digest, "sent": not dry_run}
    if json:
        put_json(told)
    else:
        done = "would be sent" if dry_run else "sent"
        say(f"{len(values)} values in {len(content)} encrypted bytes {done} (SHA-256 {digest})")


@app.command(cls=Command, epilog=f"secure-api study close {ID} -p institute")
def close(study: StudyId, profile: Profile, config: Config = None) -> None:
    """Take no more contributions: the computation begins."""
    with _studies(profile, config) as studies:
        studies.close(study)
    say(f"{study} is closed")


@app.command(cls=Command, epilog=f'secure-api study abort {ID} --reason "wrong bounds" -p institute')
def abort(
    study: StudyId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What everybody who takes part reads.")],
    profile: Profile,
    config: Config = None,
) -> None:
    """End a study without a result; what was contributed is forgotten."""
    with _studies(profile, config) as studies:
        studies.abort(study, reason)
    say(f"{study} is aborted")


@app.command(cls=Command, epilog=f"secure-api study result {ID} -p institute\nsecure-api study result {ID} -p a > sum")
def result(study: StudyId, profile: Profile, config: Config = None) -> None:
    """Read what a study released: JSON, or the encrypted sum of a study of the method ckks."""
    with _studies(profile, config) as studies:
        content = studies.result(study)
    put_bytes(content)


@app.command(
    cls=Command,
    epilog=f"secure-api study decrypt {ID} --key analyst.key -p institute\n"
    f"secure-api study decrypt {ID} -k analyst.key -p institute --json | jq .values",
)
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
    with _studies(profile, config) as studies:
        found = studies.get(study)
        done = studies.decrypt(found, key, passphrase)
    told = {
        "study": study,
        "statistic": found.get("statistic"),
        "values": done.values.tolist(),
        "error_bound": done.bound,
        "contributors": done.contributors,
        "decryptions_left": done.decryptions_left,
    }
    if json:
        put_json(told)
        return
    for value in told["values"]:
        put(repr(value))
    say(
        f"of {done.contributors} contributions; wrong by {done.bound:.3g} at most; {done.decryptions_left} more results"
    )


@contextmanager
def _studies(profile: str, config: Path | None) -> "Iterator[StudyClient]":
    """Open a connection as a profile; whatever goes wrong on it is one line with an exit status."""
    from secure_api.cli.api_call import code_of, complaint, hint_for, server_key_of
    from secure_api.cli.channel import Channel
    from secure_api.cli.keyring import read_profile
    from secure_api.cli.target import target
    from secure_api.client import SignatureAuth
    from secure_api.client.studies import StudyClient

    account, keys = read_profile(profile, config)
    with Channel(account.url, SignatureAuth(*keys, server_key=server_key_of(account))) as channel:

        def send(method: str, path: str, content: bytes, content_type: str) -> bytes:
            response = channel.send(method, target(account.url, path), content, [("Content-Type", content_type)])
            if not response.is_success:
                raise CliError("\n".join(complaint(response)), code_of(response), hint_for(response))
            return response.content

        yield StudyClient(send)


def _analyst_key(path: Path, passphrase_file: Path | None) -> Any:
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


def _argument(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        equals = ""
        value = 0.0
    if not equals or not name:
        raise CliError(f"{text!r:.60} is not NAME=NUMBER", ExitCode.USAGE)
    return name, value


def _read_json(path: Path) -> Any:
    from json import loads

    try:
        return loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}", ExitCode.USAGE) from error
    except (ValueError, RecursionError) as error:
        raise CliError(f"{path} is not JSON", ExitCode.USAGE) from error


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
