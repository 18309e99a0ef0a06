"""`secure-api alerts`: what behavior analysis found."""

import time
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import typer

from secure_api.cli.argument import finite
from secure_api.cli.command import Command
from secure_api.cli.console import put, put_json, put_table, say
from secure_api.cli.options import Config, Json, Profile

app = typer.Typer(help="Read and label what behavior analysis found (admins, auditors).", no_args_is_help=True)

AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="Id of the alert.")]
After = Annotated[int, typer.Option("--after", metavar="N", min=0, help="Begin behind this sequence.")]
COLUMNS = ["sequence", "alert", "last", "about", "why", "requests", "action", "label"]


@app.command(
    "list",
    cls=Command,
    epilog="secure-api alerts list --profile admin\n"
    "secure-api alerts list --profile admin --state open --since 2026-11-23T00:00:00Z\n"
    "secure-api alerts list --profile auditor --json | jq -r '.alerts[] | [.rule, .key] | @tsv'",
)
def list_alerts(
    profile: Profile = "admin",
    state: Annotated[Literal["open", "labeled"] | None, typer.Option("--state", help="Labeled, or not yet.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="INSTANT", help="With an unusual request then or later (RFC 3339).")
    ] = None,
    after: After = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="Alerts at most.")] = 100,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the alerts of the profile's organization, the oldest first."""
    from secure_api.cli.api_call import call

    page = call(profile, config, "GET", _target(after, limit, state, since))
    if json:
        put_json(page)
        return
    put_table(COLUMNS, [_row(alert) for alert in page["alerts"]])
    if page["next"] is not None:
        say(f"there are more: --after {page['next']}")


@app.command(
    cls=Command,
    epilog="secure-api alerts tail --profile admin\n"
    "secure-api alerts tail --profile admin --after 41 --every 10\n"
    'secure-api alerts tail --profile admin --json | while read -r alert; do notify-send "$alert"; done',
)
def tail(
    profile: Profile = "admin",
    after: After = 0,
    every: Annotated[
        float, typer.Option("--every", callback=finite, metavar="SECONDS", min=0.2, help="Seconds between two looks.")
    ] = 2,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for further ones, until Ctrl-C.")] = True,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show alerts as they come, with their explanations; with --json one object a line.

    A server that has answered, and is away, is waited for: five minutes.
    """
    import json as json_text

    from secure_api.cli.api_call import call
    from secure_api.client.patience import Patience

    def look() -> Any:
        return call(profile, config, "GET", _target(after, 100, None, None))

    page = look()
    while True:
        for alert in page["alerts"]:
            put(json_text.dumps(alert) if json else _told(alert))
            after = alert["sequence"]
        if page["next"] is None:
            if not follow:
                return
            time.sleep(every)
        page = Patience().ask(look, repeatable=True)


@app.command(
    cls=Command,
    epilog="secure-api alerts explain 4f1c2a52-9f5e-4c58-a8f1-0f1f6c0c8a55 --profile admin\n"
    "secure-api alerts explain 4f1c2a52-9f5e-4c58-a8f1-0f1f6c0c8a55 --profile admin --json | jq .reasons",
)
def explain(alert: AlertId, profile: Profile = "admin", config: Config = None, json: Json = False) -> None:
    """Explain an alert: what stood out, beside what is usual, and the last routes."""
    from secure_api.cli.api_call import call

    found = call(profile, config, "GET", f"/v1/alerts/{quote(alert, safe='')}")
    if json:
        put_json(found)
    else:
        put(_told(found))


@app.command(
    cls=Command,
    epilog="secure-api alerts label 4f1c2a52-9f5e-4c58-a8f1-0f1f6c0c8a55 expected-automation --note 'nightly export'\n"
    "secure-api alerts label 4f1c2a52-9f5e-4c58-a8f1-0f1f6c0c8a55 false --profile admin --json",
)
def label(
    alert: AlertId,
    label: Annotated[
        Literal["true", "false", "expected-automation"], typer.Argument(metavar="LABEL", help="What it was.")
    ],
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="For those who read it later.")] = None,
    profile: Profile = "admin",
    config: Config = None,
    json: Json = False,
) -> None:
    """Say what an alert was: true, false, or expected-automation (admins). What is not true ends its consequences."""
    from secure_api.cli.api_call import call

    body = {"label": label} | ({} if note is None else {"note": note})
    found = call(profile, config, "PUT", f"/v1/alerts/{quote(alert, safe='')}/label", body)
    if json:
        put_json(found)
    else:
        say(f"{alert} is labeled {label}")


def _target(after: int, limit: int, state: str | None, since: str | None) -> str:
    wanted = {"after": after, "limit": limit, "state": state, "since": since}
    return "/v1/alerts?" + urlencode({name: value for name, value in wanted.items() if value is not None})


def _row(alert: Any) -> list[str]:
    why = alert["rule"] or f"rank {alert['rank']}"
    return [
        str(alert["sequence"]), alert["id"], alert["last"], f"{alert['subject']} {alert['key']}", why,
        str(alert["requests"]), alert["action"], alert["label"] or "",
    ]  # fmt: skip


def _told(alert: Any) -> str:
    more = f", {alert['folded']} more folded into it" if alert["folded"] else ""
    label = (
        ""
        if alert["label"] is None
        else f"\nLabeled {alert['label']}" + ("" if alert["note"] is None else f": {alert['note']}")
    )
    return (
        f"{alert['opened']}  alert {alert['id']} (sequence {alert['sequence']})\n"
        f"{alert['subject']} {alert['key']}: action {alert['action']}, after {alert['seen']} requests; "
        f"{alert['requests']} unusual so far{more}\n{alert['text']}{label}\n"
    )
