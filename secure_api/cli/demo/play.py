"""The steps of the demo. Each says what it did and what it saw; one that did not do what it says fails the whole."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import typer

from secure_api.cli.console import put, stdout
from secure_api.cli.demo.cost import measure
from secure_api.cli.demo.hospitals import present
from secure_api.cli.demo.scenes import SCENES, without_the_extra
from secure_api.cli.demo.stage import Stage, stage
from secure_api.cli.demo.step import Step
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import REPORT, Session
from secure_api.settings import DATABASE_FILE

RECORD = {"time": "2026-11-22T09:30:00Z", "attributes": {"ward": "3b", "pulse": 61}}
RECORDS = "/v1/datasets/vitals/records"


def play() -> None:
    """Play the demo.

    Raises:
        typer.Exit: a step did not do what it says.
        CliError: the server does not start, or ends.
    """
    began = time.monotonic()
    failed = 0
    put("secure-api demo: a real server, real ML-DSA-65 signatures, a temporary folder\n")
    with stage() as ground:
        for play_step in STEPS:
            step = play_step(ground)
            failed += not step.right
            mark = "[green]ok[/]" if step.right else "[red]FAILED[/]"
            stdout.print(f"  {mark}  {step.what:<62}[dim]{step.seen}[/]")
            if step.more:
                stdout.print(f"      [dim]{step.more}[/]")
        cost = measure(ground)
    put("\nWhat it costs on this machine (medians, in turn):")
    put(f"  client signs {cost.sign_us:.0f} us, server verifies {cost.verify_us:.0f} us (ML-DSA-65, {cost.provider})")
    signed, sealed = f"signed both ways {cost.signed_ms:.2f} ms", f"sealed as well {cost.sealed_ms:.2f} ms"
    put(f"  a whole call: public {cost.open_ms:.2f} ms, {signed}, {sealed}")
    signed, sealed = f"{cost.session_ms:.2f} ms", f"sealed as well {cost.session_sealed_ms:.2f} ms"
    put(f"  the same in a session: {signed}, {sealed}, after one handshake of {cost.handshake_ms:.2f} ms")
    outcome = "SOME STEPS FAILED" if failed else "All steps did what they say"
    put(f"\n{outcome} ({time.monotonic() - began:.1f} s). Your turn:")
    put("  secure-api init --home ./consortium && secure-api serve --home ./consortium")
    if failed:
        raise typer.Exit(ExitCode.FAILURE)


def clinic_enrolls(ground: Stage) -> Step:
    """Enroll the first organization."""
    return _enrolled(ground, "clinic")


def laboratory_enrolls(ground: Stage) -> Step:
    """Enroll the second organization."""
    return _enrolled(ground, "laboratory")


def clinic_writes(ground: Stage) -> Step:
    """Make a dataset and append a record, signed; keep the request for the next step."""
    clinic = ground.members["clinic"]
    ground.ok("POST", "/v1/datasets", clinic, {"name": "vitals"})
    ground.accepted = ground.request("POST", RECORDS, clinic, RECORD)
    status = ground.http.send(ground.accepted).status_code
    return Step("clinic writes a record, signed: accepted", f"HTTP {status}", status == 201)


def replay(ground: Stage) -> Step:
    """Send the accepted request once more, byte for byte."""
    status = ground.http.send(ground.accepted).status_code
    return Step("the same bytes once more: refused", f"HTTP {status}", status == 401)


def change_the_body(ground: Stage) -> Step:
    """Send a freshly signed request with another body than the one that was signed."""
    honest = ground.request("POST", RECORDS, ground.members["clinic"], RECORD)
    body = honest.content.replace(b"61", b"16")
    forged = ground.http.build_request("POST", RECORDS, content=body, headers=dict(honest.headers))
    status = ground.http.send(forged).status_code
    right = status == 401 and body != honest.content
    return Step("a changed body under a good signature: refused", f"HTTP {status}", right)


def laboratory_reads(ground: Stage) -> Step:
    """Ask as the other organization for the dataset, with a good signature of its own."""
    status = ground.http.send(ground.request("GET", RECORDS, ground.members["laboratory"])).status_code
    return Step("laboratory reads clinic's dataset: does not exist for it", f"HTTP {status}", status == 404)


def clinic_reads(ground: Stage) -> Step:
    """Read back what came of all that: one record."""
    records = ground.ok("GET", RECORDS, ground.members["clinic"])["records"]
    count = f"{len(records)} record" + ("" if len(records) == 1 else "s")
    return Step("clinic reads its records: exactly the one that it wrote", count, records == [RECORD])


def clinic_opens_a_session(ground: Stage) -> Step:
    """Read twice within a session: one signed key exchange, then a MAC in the place of signatures, both ways."""
    session = Session(ground.held(ground.members["clinic"]))
    answers = [ground.http.get(RECORDS, auth=session) for _ in range(2)]
    reports = [answer.extensions[REPORT] for answer in answers]
    right = (
        all(answer.is_success and answer.json()["records"] == [RECORD] for answer in answers)
        and all('alg="hmac-sha256"' in answer.request.headers["signature-input"] for answer in answers)
        and [report.handshake is not None for report in reports] == [True, False]
        and session.current is not None
        and {report.signed_by for report in reports} == {session.current.id}
    )
    exchange = f"{session.suite}, once" if right else "not as it should be"
    return Step("clinic reads on in a session: HMAC after a key exchange", exchange, right)


def clinic_writes_sealed(ground: Stage) -> Step:
    """Write a record sealed to the server's published key, and look at the bytes that went over the wire."""
    answer = ground.http.post(RECORDS, json=RECORD, auth=ground.held(ground.members["clinic"], seal=True))
    sent, report = answer.request.content, answer.extensions[REPORT]
    hidden = b"pulse" not in sent and report.answer is not None
    right = answer.status_code == 201 and hidden and answer.json() == {"accepted": 1}
    seen = f"{report.request.plain} bytes in {len(sent)}" if report.request else "in clear"
    return Step("clinic writes a sealed record: unreadable on the way", seen, right)


def verify_the_ledger(ground: Stage) -> Step:
    """Verify the ledger as the operator would."""
    status, said = ground.program("ledger", "verify", "--home", str(ground.home))
    seen = said.removeprefix("ledger ").partition(",")[0]
    return Step("ledger verify: every entry, head, record intact", seen, status == 0 and seen.startswith("intact"))


def tamper_with_the_ledger(ground: Stage) -> Step:
    """Rewrite an entry behind the server's back, and verify again."""
    with closing(sqlite3.connect(ground.home / DATABASE_FILE)) as database, database:
        (sequence,) = database.execute("SELECT sequence FROM ledger_entries WHERE kind = 'dataset.created'").fetchone()
        database.execute("UPDATE ledger_entries SET actor = 'mallory' WHERE sequence = ?", (sequence,))
    status, said = ground.program("ledger", "verify", "--home", str(ground.home), "--json")
    verdict = json.loads(said)
    right = (status, verdict["valid"]) == (1, False) and (verdict["sequence"], verdict["what"]) == (sequence, "changed")
    return Step(f"entry {sequence} rewritten in the database file: named by verify", verdict["detail"], right)


STEPS: tuple[Callable[[Stage], Step], ...] = (
    clinic_enrolls,
    laboratory_enrolls,
    clinic_writes,
    replay,
    change_the_body,
    laboratory_reads,
    clinic_reads,
    clinic_opens_a_session,
    clinic_writes_sealed,
    *(SCENES if present() else (without_the_extra,)),
    verify_the_ledger,
    tamper_with_the_ledger,
)


def _enrolled(ground: Stage, organization: str) -> Step:
    me = ground.ok("GET", "/v1/clients/me", ground.enroll(organization))
    key = me["keys"][0]
    return Step(
        f"{organization} enrolled: token spent, key possession proven",
        f"{key['algorithm']} {key['keyid'][:10]}...",
        (me["organization"], me["role"], key["status"]) == (organization, "contributor", "active"),
    )
