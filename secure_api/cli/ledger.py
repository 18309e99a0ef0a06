"""`secure-api ledger`: verify the chain on the server's machine, show it over the API."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from secure_api.cli.command import Command
from secure_api.cli.console import put, put_json, put_table, say, stderr
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Home, Json, PassphraseFile, Profile

if TYPE_CHECKING:
    from crypto import PublicKey
    from secure_api.services.ledger import LedgerReport

app = typer.Typer(help="Verify and show the ledger.", no_args_is_help=True)


@app.command(
    cls=Command,
    epilog="secure-api ledger verify --home ./consortium\n"
    "secure-api ledger verify --home ./consortium --json || mail -s 'ledger!' operator@example.org < /dev/null",
)
def verify(
    home: Home = None,
    records: Annotated[
        bool, typer.Option("--records/--no-records", help="Also check the records that entries vouch for.")
    ] = True,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Check every entry, signed head and record; name the first that was changed, removed or reordered.

    The exit status is 1 when the ledger is not what was appended.
    """
    from secure_api.cli.server_settings import load_settings
    from secure_api.domain.errors import LedgerTampered

    settings = load_settings(home, passphrase_file)
    key = settings.server_key().public_key
    try:
        report = asyncio.run(_check(settings.url, key, records))
        if not report.entries or not report.heads:
            # `init` appends the first entry and signs the first head: where there is none, somebody took them away.
            what = "entry" if not report.entries else "signed head"
            raise LedgerTampered(1, "removed", f"The ledger has no {what}; init made the first one.")
    except LedgerTampered as error:
        if json:
            put_json({"valid": False, "sequence": error.sequence, "what": error.what, "detail": error.detail})
        else:
            put(f"TAMPERED: {error.detail}")
        raise typer.Exit(ExitCode.FAILURE) from None
    if json:
        put_json(
            {
                "valid": True,
                "entries": report.entries,
                "heads": report.heads,
                "records": report.records,
                "unsigned": report.unsigned,
                "hash": report.last_hash,
            }
        )
    else:
        put(
            f"ledger intact: {report.entries} entries, {report.heads} signed heads, {report.records} records; "
            f"{report.unsigned} entries are not under a signed head yet"
        )


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


async def _check(url: str, key: "PublicKey", records: bool) -> "LedgerReport":
    """Verify the ledger of a database, with a progress bar on a terminal.

    Raises:
        LedgerTampered: it is not what was appended.
        ConfigurationError, DatabaseUnavailable: the database cannot be used.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from secure_api.data.database import Database
    from secure_api.data.migrations import check_schema
    from secure_api.services.ledger import verify as check

    database = Database(url)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        await check_schema(database)
        with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
            task = bar.add_task("", total=None)
            return await check(
                database,
                {key.keyid: key},
                with_records=records,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    finally:
        await database.close()
