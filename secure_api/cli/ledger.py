"""`secure-api ledger`: verify the chain on the server's machine, show it over the API."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secure_api.cli.command import Command
from secure_api.cli.console import put_json, put_table, say, stderr
from secure_api.cli.errors import CliError, cause_of
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Home, Json, PassphraseFile, Profile

if TYPE_CHECKING:
    from crypto import PublicKey
    from secure_api.domain.ledger import LedgerHead
    from secure_api.services.ledger_verification import LedgerReport

app = typer.Typer(help="Verify and show the ledger.", no_args_is_help=True)


@app.command(
    cls=Command,
    epilog="secure-api ledger verify --home ./consortium\n"
    "secure-api ledger verify --home ./consortium --head kept.json   # also finds a ledger that was put back\n"
    "secure-api ledger verify --home ./consortium --json || mail -s 'ledger!' operator@example.org < /dev/null",
)
def verify(
    home: Home = None,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="FILE|-", help="Signed head kept elsewhere, which the ledger must contain."),
    ] = None,
    records: Annotated[
        bool, typer.Option("--records/--no-records", help="Also check the records that entries vouch for.")
    ] = True,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Check entries, signed heads, records and tables; name what was changed, removed or reordered.

    The exit status is 1 when the ledger, or what it tells of, is not what it was; 7 when that could not be checked.
    """
    from secure_api.cli.ledger_verdict import show_contradicted, show_intact, show_tampered
    from secure_api.cli.server_settings import load_settings
    from secure_api.domain.errors import DomainError, LedgerTampered, StateTampered
    from secure_api.services.ledger_heads import check_signature

    kept = None if head is None else _read_head(head)
    try:
        settings = load_settings(home, passphrase_file)
        key = settings.server_key().public_key
        if kept is not None:
            check_signature(kept, {key.keyid: key})
        report = asyncio.run(_check(settings.url, key, kept, records))
    except LedgerTampered as error:
        show_tampered(error, json=json)
        raise typer.Exit(ExitCode.FAILURE) from None
    except StateTampered as error:
        show_contradicted(error, json=json)
        raise typer.Exit(ExitCode.FAILURE) from None
    except DomainError as error:
        raise CliError(str(error), ExitCode.KEY, cause_of(error)) from error
    show_intact(report, kept, json=json)


@app.command(
    cls=Command,
    epilog="secure-api ledger show --profile admin --after 100\n"
    "secure-api ledger show --profile admin --json | jq .head   # keep it elsewhere: it pins all entries before it",
)
def show(
    profile: Profile = "admin",
    after: Annotated[int, typer.Option("--after", metavar="N", min=0, help="Begin behind this sequence.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="Entries at most.")] = 100,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show the entries that the profile's client may see (admins, auditors)."""
    from secure_api.cli.api_call import call

    page = call(profile, config, "GET", f"/v1/ledger?after={after}&limit={limit}")
    if json:
        put_json(page)
        return
    put_table(
        ["sequence", "time", "kind", "hash"],
        [[str(entry["sequence"]), entry["time"], entry["kind"], entry["hash"][:16]] for entry in page["entries"]],
    )
    if page["next"] is not None:
        say(f"there are more: --after {page['next']}")


@app.command(
    cls=Command,
    epilog="secure-api ledger head --home ./consortium > kept.json\n"
    "secure-api ledger head --profile auditor --key server.pem > kept.json   # on any machine",
)
def head(
    home: Home = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", "-p", metavar="NAME", help="Ask this profile's server; the database unless given."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", "-k", metavar="FILE", help="Public key of that server; what it says itself unless given."
        ),
    ] = None,
    config: Config = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Print the newest signed head as JSON, once its signature is verified: keep it where the operator cannot write.

    `ledger verify --head` finds by it a ledger that was cut off or put back. Over the API, --key pins the server.
    """
    from secure_api.cli.ledger_head import fetched_head, stored_head

    if profile is None and key is not None:
        raise CliError("--key goes with --profile", ExitCode.USAGE, "the home folder has its own key")
    found = stored_head(home, passphrase_file) if profile is None else fetched_head(profile, config, key)
    put_json(found.document())


def _read_head(file: str) -> "LedgerHead":
    """Read a head that was kept.

    Raises:
        CliError: the file cannot be read, or holds no head.
    """
    from secure_api.domain.errors import Invalid
    from secure_api.domain.ledger_head import MAX_HEAD_BYTES, LedgerHead

    try:
        if file == "-":
            document = b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_HEAD_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                document = stream.read(MAX_HEAD_BYTES + 1)
        return LedgerHead.parse(document)
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}", ExitCode.USAGE) from error
    except Invalid as error:
        name = "stdin" if file == "-" else file
        raise CliError(f"{name}: {error}", ExitCode.USAGE, "secure-api ledger head prints one") from error


async def _check(url: str, key: "PublicKey", kept: "LedgerHead | None", records: bool) -> "LedgerReport":
    """Verify the ledger of a database, with a progress bar on a terminal.

    Raises:
        LedgerTampered, StateTampered: it is not what was appended, or the tables are not what it tells.
        ConfigurationError, DatabaseUnavailable: the database cannot be used.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from secure_api.data.database import Database
    from secure_api.data.migrations import check_schema
    from secure_api.services.ledger_verification import verify as check

    database = Database(url)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        await check_schema(database)
        with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
            task = bar.add_task("", total=None)
            return await check(
                database,
                {key.keyid: key},
                kept=() if kept is None else (kept,),
                with_records=records,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    finally:
        await database.close()
