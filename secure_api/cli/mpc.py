"""`secure-api mpc`: be a compute party of multi-party studies."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from secure_api.cli.argument import finite
from secure_api.cli.command import Command
from secure_api.cli.console import put_json, say
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Config, Json, Profile

if TYPE_CHECKING:
    from crypto.mpc import MpcResult
    from crypto.mpc.job import Job
    from secure_api.client.mpc import PartyClient

LOOK_SECONDS: Final = 1.0  # between two looks at a study that is not ready

app = typer.Typer(help="Be a compute party of multi-party studies.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Option("--folder", "-d", metavar="DIR", help="Folder of the party's keys.", file_okay=False)
]


@app.command(
    cls=Command,
    epilog="secure-api mpc init --folder ./party --organization clinic-a --address mpc.clinic-a.example:4443\n"
    "secure-api mpc init -d ./party --organization clinic-a --address 192.0.2.7:4443 > clinic-a.json",
)
def init(
    folder: Folder,
    organization: Annotated[
        str, typer.Option("--organization", metavar="NAME", help="Organization that runs the party.")
    ],
    address: Annotated[str, typer.Option("--address", metavar="HOST:PORT", help="Where the other parties reach it.")],
) -> None:
    """Make a party's TLS and sealing keys; prints what the creator of a study lists in its parameters."""
    from crypto.mpc.identity import PartyIdentity

    _address(address)
    description = PartyIdentity.create(folder, datetime.now(UTC)).description(organization, address)
    put_json(description)
    say(f"keys written to {folder}; give the JSON to the creators of studies, and compare the certificate by phone")


@app.command(
    cls=Command,
    epilog="secure-api mpc party --study 4tQmXc2sZzM1 --folder ./party --profile clinic-a\n"
    "secure-api mpc party --study 4tQmXc2sZzM1 -d ./party -p clinic-a --listen 0.0.0.0:4443 --attempts 3 --json",
)
def party(
    study: Annotated[str, typer.Option("--study", "-s", metavar="ID", help="Study to compute.")],
    folder: Folder,
    profile: Profile,
    config: Config = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to listen, if not at the study's address."),
    ] = None,
    attempts: Annotated[int, typer.Option("--attempts", min=1, max=100, help="Attempts before giving up.")] = 3,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for the study to be closed.")
    ] = 3600.0,
    connect: Annotated[float, typer.Option("--connect-deadline", callback=finite, metavar="SECONDS", min=1)] = 60.0,
    round_: Annotated[float, typer.Option("--round-deadline", callback=finite, metavar="SECONDS", min=1)] = 60.0,
    total: Annotated[float, typer.Option("--total-deadline", callback=finite, metavar="SECONDS", min=1)] = 3600.0,
    json: Json = False,
) -> None:
    """Compute a closed study with its other parties, and post the result; no party sees a contribution."""
    from httpx import HTTPStatusError

    from crypto.mpc.identity import PartyIdentity
    from crypto.mpc.job import Deadlines
    from secure_api.cli.api_call import code_of, complaint, hint_for, server_key_of
    from secure_api.cli.channel import Channel
    from secure_api.cli.keyring import read_profile
    from secure_api.cli.target import target
    from secure_api.client import ServerUnusable, SignatureAuth
    from secure_api.client.mpc import PartyClient
    from secure_api.client.patience import Patience, is_repeatable

    identity = PartyIdentity.read(folder)
    account, keys = read_profile(profile, config)
    # From the first request on: a server that restarts must not cost the parties an attempt, nor a party that begins.
    patience = Patience()
    with Channel(account.url, SignatureAuth(*keys, server_key=server_key_of(account))) as channel:

        def send(method: str, path: str, body: Mapping[str, object] | None) -> bytes:
            content = b"" if body is None else dumps(body).encode()
            return patience.ask(lambda: once(method, path, content), is_repeatable(method, path))

        def once(method: str, path: str, content: bytes) -> bytes:
            response = channel.send(method, target(account.url, path), content)
            try:
                response.raise_for_status()
            except HTTPStatusError as error:
                if response.status_code == HTTPStatus.CONFLICT:
                    raise ServerUnusable("\n".join(complaint(response)), response.status_code) from error
                raise CliError("\n".join(complaint(response)), code_of(response), hint_for(response)) from error
            return response.content

        client = PartyClient(study, identity, send, Deadlines(connect, round_, total), _address(listen))
        until = time.monotonic() + wait
        result = _attempt(client, until)
        for _ in range(attempts - 1):
            result = result or _attempt(client, until)
    if result is None:
        raise CliError(f"no result in {attempts} attempts")
    told = {"study": study, "contributors": result.contributors, "transcript": result.transcript.hex()}
    cost = {"seconds": result.seconds, "bytes_sent": result.bytes_sent}
    if json:
        put_json(told | cost)
    else:
        say(f"done in {result.seconds:.2f} s: {result.contributors} contributions, {result.bytes_sent} bytes sent")
        say(f"transcript {told['transcript']}")


def _attempt(client: "PartyClient", until: float) -> "MpcResult | None":
    """Wait for the study, and try once; None when the parties' session was aborted, and can be tried again."""
    from crypto import MpcAborted
    from secure_api.client import ServerUnusable
    from secure_api.client.mpc import OVER_STATES, READY_STATES, Standing

    job: Job | None = None
    told = False
    while job is None:
        seen = client.look()
        if seen.state in OVER_STATES:
            raise CliError(f"the study is {seen.state}: there is nothing to compute")
        try:
            job = client.fetch(seen) if seen.state in READY_STATES else None
        except ServerUnusable as error:
            if error.status != HTTPStatus.CONFLICT:  # that one says: not yet, or another attempt meanwhile
                raise
        if job is None:
            if time.monotonic() >= until:
                raise CliError(f"the study is still {seen.state}", hint="wait longer with --wait")
            if seen.state == "open" and not told:
                say("the study is open: waiting until it is closed")
                told = True
            time.sleep(LOOK_SECONDS)
    say(f"party {job.index} of {len(job.addresses)}, attempt {job.session.attempt}: connecting")
    try:
        result = asyncio.run(client.run(job))
    except MpcAborted as abort:
        say(str(abort))
        return None
    # Another party may have seen the attempt fail at its very end: then all are needed once more.
    while (standing := client.standing(job)) is Standing.WAITING:
        time.sleep(LOOK_SECONDS)
    if standing is Standing.ABORTED:
        raise CliError("the study was aborted")
    return result if standing is Standing.RELEASED else None


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise CliError(f"{text} is not HOST:PORT", ExitCode.USAGE)
    return host.strip("[]"), int(port)
