"""The steps of the demo. Each says what it did, and the whole fails when one did not do what it says."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import typer

from secure_api.cli.console import put, stdout
from secure_api.cli.demo.cost import measure
from secure_api.cli.demo.stage import Stage, stage
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import SignatureAuth
from secure_api.settings import DATABASE_FILE

RECORD = {"time": "2026-11-22T09:30:00Z", "attributes": {"ward": "3b", "pulse": 61}}
RECORDS = "/v1/datasets/vitals/records"


class Steps:
    """Prints one line a step, and remembers whether all did what they say."""

    def __init__(self) -> None:
        self.failed = 0

    def show(self, what: str, seen: str, *, right: bool) -> None:
        """Print a step: what was done, what was seen, whether that is right."""
        self.failed += not right
        mark = "[green]ok[/]" if right else "[red]FAILED[/]"
        stdout.print(f"  {mark}  {what:<62}[dim]{seen}[/]", highlight=False)


def play() -> None:
    """Play the demo.

    Raises:
        typer.Exit: a step did not do what it says.
    """
    began = time.monotonic()
    steps = Steps()
    put("secure-api demo: a real server, real ML-DSA-65 signatures, a temporary folder\n")
    with stage() as ground:
        clinic, lab = _enroll(steps, ground)
        _requests(steps, ground, clinic, lab)
        _ledger(steps, ground)
        cost = measure(ground)
    put("\nWhat it costs on this machine (medians of 60, in turn):")
    put(f"  client signs {cost.sign_us:.0f} us, server verifies {cost.verify_us:.0f} us (ML-DSA-65, openssl)")
    put(f"  round trip: public route {cost.open_ms:.2f} ms, signed route with its query {cost.signed_ms:.2f} ms")
    put(
        f"\n{'All steps did what they say' if not steps.failed else 'SOME STEPS FAILED'} "
        f"({time.monotonic() - began:.1f} s). Your turn:"
    )
    put("  secure-api init --home ./consortium && secure-api serve --home ./consortium")
    if steps.failed:
        raise typer.Exit(ExitCode.FAILURE)


def _enroll(steps: Steps, ground: Stage) -> tuple[SignatureAuth, SignatureAuth]:
    enrolled = []
    for organization in ("clinic", "laboratory"):
        auth = ground.enroll(organization)
        me = ground.ok("GET", "/v1/clients/me", auth)
        steps.show(
            f"{organization} enrolled: token spent, key possession proven",
            f"{me['keys'][0]['algorithm']} {me['keys'][0]['keyid'][:10]}...",
            right=me["organization"] == organization,
        )
        enrolled.append(auth)
    return enrolled[0], enrolled[1]


def _requests(steps: Steps, ground: Stage, clinic: SignatureAuth, lab: SignatureAuth) -> None:
    ground.ok("POST", "/v1/datasets", clinic, {"name": "vitals"})
    signed = ground.request("POST", RECORDS, clinic, RECORD)
    accepted = ground.http.send(signed)
    steps.show(
        "clinic writes a record, signed: accepted", _status(accepted.status_code), right=accepted.status_code == 201
    )

    replayed = ground.http.send(signed)
    steps.show("the same bytes once more: refused", _status(replayed.status_code), right=replayed.status_code == 401)

    honest = ground.request("POST", RECORDS, clinic, RECORD)
    forged = ground.http.build_request(
        "POST", RECORDS, content=honest.content.replace(b"61", b"16"), headers=dict(honest.headers)
    )
    changed = ground.http.send(forged)
    steps.show(
        "a changed body under a good signature: refused", _status(changed.status_code), right=changed.status_code == 401
    )

    foreign = ground.http.send(ground.request("GET", RECORDS, lab))
    steps.show(
        "laboratory reads clinic's dataset: does not exist for it",
        _status(foreign.status_code),
        right=foreign.status_code == 404,
    )

    page = ground.ok("GET", RECORDS, clinic)
    steps.show(
        "clinic reads its records: exactly the one that it wrote",
        f"{len(page['records'])} record",
        right=page["records"] == [RECORD],
    )


def _ledger(steps: Steps, ground: Stage) -> None:
    intact = _verify(ground)
    steps.show("ledger verify: every entry, head, record intact", intact[1], right=intact[0] == 0)
    with closing(sqlite3.connect(ground.home / DATABASE_FILE)) as database, database:
        (sequence,) = database.execute("SELECT sequence FROM ledger_entries WHERE kind = 'dataset.created'").fetchone()
        database.execute("UPDATE ledger_entries SET actor = 'mallory' WHERE sequence = ?", (sequence,))
    caught = _verify(ground)
    steps.show(
        f"entry {sequence} rewritten in the database file: named by verify",
        caught[1],
        right=caught[0] == 1 and f"entry {sequence}" in caught[1],
    )


def _verify(ground: Stage) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "secure_api", "ledger", "verify", "--home", str(ground.home)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    lines = done.stderr.strip().splitlines()
    if not lines:
        raise CliError("ledger verify said nothing")
    said = lines[-1].removeprefix("TAMPERED: ").removeprefix("ledger ")
    return done.returncode, said.partition(",")[0]


def _status(code: int) -> str:
    return f"HTTP {code}"
