"""`secure-api study`: statistics over contributions that nobody may see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from secure_api.cli import analyst_key, budget, local_study
from secure_api.cli.analyst_key import StudyId
from secure_api.cli.argument import finite, named_number
from secure_api.cli.command import Command
from secure_api.cli.console import put, put_bytes, put_json, put_table, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Json, PassphraseFile, Profile
from secure_api.cli.study_channel import studies_of

ID: Final = "4f0c2a1e-6a55-4f0e-9c51-0f7d3c1b2a90"

app = typer.Typer(help="Compute statistics over contributions that nobody may see.", no_args_is_help=True)

app.command("key", cls=Command, epilog=analyst_key.KEY_EXAMPLES)(analyst_key.make)


@app.command(
    cls=Command,
    epilog="secure-api study create stay --statistic mean --dimension 12 --low 0 --high 90 --invite north,south,west "
    "--key analyst.key -p institute\n"
    "secure-api study create flu --method mpc --statistic max --dimension 1 --low 0 --high 1e6 "
    "--invite north,south,west --parties parties.json -p institute\n"
    "secure-api study create stay --statistic mean --dimension 12 --low 0 --high 90 --invite north,south,west "
    "--key analyst.key --epsilon 1 --delta 1e-6 --sensitivity 3 --dataset stays -p institute",
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the study.")],
    statistic: Annotated[str, typer.Option("--statistic", metavar="NAME", help="sum, mean, variance, histogram, ...")],
    dimension: Annotated[int, typer.Option("--dimension", min=1, help="Values of one contribution.")],
    low: Annotated[float, typer.Option("--low", callback=finite, help="The least that a value may be.")],
    high: Annotated[float, typer.Option("--high", callback=finite, help="The most that a value may be.")],
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
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="FILE", help="JSON of weights by organization (linear-score).", dir_okay=False),
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option("--argument", "-a", metavar="NAME=NUMBER", help="Argument of the statistic.")
    ] = None,
    epsilon: Annotated[
        float | None, typer.Option("--epsilon", help="Differential privacy: contributors add noise for this epsilon.")
    ] = None,
    delta: Annotated[float, typer.Option("--delta", callback=finite, help="And this delta.")] = 1e-6,
    sensitivity: Annotated[
        float | None,
        typer.Option(
            "--sensitivity", help="How far (L2) one person moves a contribution; unless told, all of it is hidden."
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="NAME", help="Dataset whose privacy budget pays for it.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=NUMBER", help="Parameter of the method, as stage_seconds=60."),
    ] = None,
    minimum: Annotated[int, typer.Option("--minimum", min=2, help="Contributors that must take part.")] = 3,
    organizations: Annotated[
        int | None, typer.Option("--organizations", metavar="N", min=1, help="Organizations that must take part.")
    ] = None,
    days: Annotated[
        float, typer.Option("--days", callback=finite, min=0, max=36_500, help="Days until the deadline.")
    ] = 7.0,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Create a study; prints its identifier."""
    parameters: dict[str, Any] = {}
    if roster is not None:
        parameters["roster"] = [one.strip() for one in roster.split(",") if one.strip()]
    if arguments := dict(named_number(text) for text in argument or []):
        parameters["arguments"] = arguments
    for text in parameter or []:
        named, number = named_number(text)
        parameters[named] = int(number) if number.is_integer() else number
    if parties is not None:
        parameters["parties"] = _read_json(parties)
    invited = [one.strip() for one in invite.split(",") if one.strip()]
    if model is not None:
        parameters["model"] = _read_json(model)
        minimum = len(invited)  # a score needs every organization's part
    privacy = None if epsilon is None else {"epsilon": epsilon, "delta": delta, "sensitivity": sensitivity}
    with studies_of(profile, config) as studies:
        if method == "ckks":
            if key is None:
                raise CliError(
                    "an encrypted study needs the analyst's key", ExitCode.USAGE, "--key FILE; see study key"
                )
            parameters["context"] = studies.upload_context(
                analyst_key.read_analyst_key(key, passphrase_file).public_context
            )
        made = studies.create(
            {
                "name": name,
                "method": method,
                "statistic": statistic,
                "dimension": dimension,
                "bounds": {"low": low, "high": high},
                "contributors": invited,
                "minimum_contributors": minimum,
                "minimum_organizations": organizations,
                "deadline": (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z"),
                "parameters": parameters,
                "dataset": dataset,
                "privacy": privacy,
            }
        )
    if json:
        put_json(made)
    else:
        put(str(made.get("id")))


@app.command("list", cls=Command, epilog="secure-api study list -p clinic-a\nsecure-api study list -p clinic-a --json")
def list_studies(profile: Profile, config: Config = None, json: Json = False) -> None:
    """List the studies of one's organization, and those that it is invited to."""
    with studies_of(profile, config) as studies:
        found = studies.all()
    if json:
        put_json(found)
        return
    columns = ["id", "name", "method", "statistic", "state", "deadline"]
    put_table(columns, [[str(study.get(column)) for column in columns] for study in found])


@app.command(cls=Command, epilog=f"secure-api study status {ID} -p clinic-a")
def status(study: StudyId, profile: Profile, config: Config = None, json: Json = False) -> None:
    """Tell where a study is, and how many have contributed."""
    with studies_of(profile, config) as studies:
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
        str | None,
        typer.Option(
            "--column",
            metavar="NAME",
            help="Column of a CSV, or member of JSON objects (a,b,c for scores and regressions).",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Encrypt, and tell what would be sent.")] = False,
    json: Json = False,
) -> None:
    """Encrypt the values of a file for a study, and send them; a client contributes once.

    In a masked study this stays until the sum is released, and prints it: the masks take several rounds. When it was
    ended before, run it again with the same file: it goes on.
    """
    from hashlib import sha256

    from rich.progress import track

    from secure_api.cli.console import stderr
    from secure_api.cli.keyring import read_profile
    from secure_api.client import ProfileStore
    from secure_api.client.masked_memory import FOLDER

    signer = read_profile(profile, config)[1][0]
    with studies_of(profile, config) as studies:
        found = studies.get(study)

        def progress(lines: Any) -> Any:
            return track(lines, "reading", console=stderr, transient=True, disable=not stderr.is_terminal)

        values = _values(found, file, column, progress)
        if (privacy := found.get("privacy")) and not json:
            say(f"noise is added before anything is sent: {_promise(privacy)}")
        if found.get("method") == "masked" and not dry_run:
            folder = ProfileStore(config).folder / FOLDER
            outcome = studies.take_part(found, values, signer, told=say, folder=folder)
            put_json(outcome)
            return
        content = studies.prepare(found, values, signer.public_key.keyid)
        digest = sha256(content).hexdigest()
        if not dry_run:
            studies.contribute(study, content)
    told = {"study": study, "values": int(values.size), "bytes": len(content), "sha256": digest, "sent": not dry_run}
    if json:
        put_json(told)
    else:
        done = "would be sent" if dry_run else "sent"
        say(f"{values.size} values in {len(content)} encrypted bytes {done} (SHA-256 {digest})")


@app.command(cls=Command, epilog=f"secure-api study close {ID} -p institute")
def close(study: StudyId, profile: Profile, config: Config = None) -> None:
    """Take no more contributions: the computation begins."""
    with studies_of(profile, config) as studies:
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
    with studies_of(profile, config) as studies:
        studies.abort(study, reason)
    say(f"{study} is aborted")


@app.command(cls=Command, epilog=f"secure-api study result {ID} -p institute\nsecure-api study result {ID} -p a > sum")
def result(study: StudyId, profile: Profile, config: Config = None) -> None:
    """Read what a study released: JSON, or the encrypted sum of a study of the method ckks."""
    with studies_of(profile, config) as studies:
        content = studies.result(study)
    put_bytes(content)


app.command(cls=Command, epilog=analyst_key.DECRYPT_EXAMPLES)(analyst_key.decrypt)
app.command(cls=Command, epilog=budget.EXAMPLES)(budget.budget)
app.command(cls=Command, epilog=local_study.EXAMPLES)(local_study.run)


def _values(study: dict[str, Any], file: Path, column: str | None, progress: Any) -> Any:
    """Read what a study is to be given: a column, or for scores and regressions the rows of several."""
    from secure_api.cli.contribution_file import read_rows, read_values
    from secure_api.client.studies import LINEAR_REGRESSION, LINEAR_SCORE

    dimension, statistic = int(study.get("dimension", 0)), study.get("statistic")
    if statistic == LINEAR_REGRESSION:
        values = read_rows(file, column, None, progress)
    elif statistic == LINEAR_SCORE and column is not None:
        values = read_rows(file, column, dimension, progress)
    else:
        values = read_values(file, column, dimension, progress)
    _refuse_outside(study, values[:-1] if statistic == "weighted-mean" else values, file)  # the last one is a weight
    return values


def _promise(privacy: dict[str, Any]) -> str:
    """Say what noise is to hide: the creator of a study chooses it, and contributors know whether it is enough."""
    sensitivity = privacy.get("sensitivity")
    hidden = "the whole contribution" if sensitivity is None else f"what moves it by {sensitivity:g} at most"
    return f"epsilon {privacy['epsilon']:g}, delta {privacy['delta']:g}, for {hidden}"


def _refuse_outside(study: dict[str, Any], values: Any, file: Path) -> None:
    """Name the first value that is outside the study's bounds: the library, which refuses it too, knows no file."""
    bounds = study.get("bounds") or {}
    low, high = float(bounds.get("low", "-inf")), float(bounds.get("high", "inf"))
    row = values.reshape(-1)
    outside = (row < low) | (row > high)
    if outside.any():
        place = int(outside.argmax())
        why = f"every value lies between {low:g} and {high:g}, and value {place + 1} is {float(row[place])!r}"
        raise CliError(f"{file}: {why}", ExitCode.USAGE)


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
