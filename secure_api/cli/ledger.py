"""`secure-api ledger`: verify the chain on the server's machine, show it over the API."""

import asyncio
from typing import Annotated

import typer

from secure_api.cli.console import put_json, put_table, say, stderr
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Home, Json, Profile

app = typer.Typer(help="Verify and show the ledger.", no_args_is_help=True)


@app.command(
    epilog="Examples:\n\n`secure-api ledger verify --home ./consortium`\n\n"
    "`secure-api ledger verify --home ./consortium --json || mail -s 'ledger!' operator`"
)
def verify(
    home: Home = None,
    records: Annotated[
        bool, typer.Option("--records/--no-records", help="Also check the records that entries vouch for.")
    ] = True,
    json: Json = False,
) -> None:
    """Check every entry, signed head and record; name the first that was changed, removed or reordered."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from secure_api.data.database import Database
    from secure_api.domain.errors import LedgerTampered
    from secure_api.services.ledger import LedgerReport
    from secure_api.services.ledger import verify as check
    from secure_api.settings import Settings

    settings = Settings.load(home)
    key = settings.server_key().public_key

    async def run() -> LedgerReport:
        columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        database = Database(settings.url)
        try:
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

    try:
        report = asyncio.run(run())
    except LedgerTampered as error:
        if json:
            put_json({"valid": False, "sequence": error.sequence, "what": error.what, "detail": error.detail})
        else:
            say(f"TAMPERED: {error.detail}")
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
        say(
            f"ledger intact: {report.entries} entries, {report.heads} signed heads, {report.records} records; "
            f"{report.unsigned} entries are not under a signed head yet"
        )


@app.command(epilog="Examples:\n\n`secure-api ledger show --profile admin --after 100`")
def show(
    profile: Profile = "admin",
    after: Annotated[int, typer.Option("--after", min=0, help="Begin behind this sequence.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Entries at most.")] = 100,
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
