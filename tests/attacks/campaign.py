"""Attacks of each kind by real clients on a running server, among others who go about their work: what was noticed?

`python -m tests.attacks.campaign` takes about three minutes, and writes the table in docs/behavior.md anew.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from crypto import KemAlgorithm, KemPrivateKey, PrivateKey, SignatureAlgorithm, encode_base64url
from tests.attacks.town import RECORD, Actor, Town, at_work, settle
from tests.consortium import enrollment, install, make_home
from tests.services.fixtures.port import free_port
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

PAGE = Path(__file__).parents[2] / "docs" / "behavior.md"
BEGIN, END = "<!-- campaign: begin -->", "<!-- campaign: end -->"
HISTORY = 1_500
ENVIRONMENT = {
    "SECURE_API_BEHAVIOR": "observe",
    "SECURE_API_BEHAVIOR_WARM_UP": "1000",
    "SECURE_API_BEHAVIOR_INTERVAL": "0.2",
}


Attack = Callable[[Town, Actor], Coroutine[Any, Any, None]]


async def replayed_nonces(town: Town, victim: Actor) -> None:
    """Somebody on another network sends again what it overheard."""
    thief = await town.peer([])
    for _ in range(5):
        overheard = victim.peer.sign("GET", "/v1/datasets")
        await victim.peer.send(overheard)
        for _ in range(2):
            victim.answered.append((time.time(), (await thief.send(overheard)).status_code))


async def forged_signatures(town: Town, victim: Actor) -> None:
    """Somebody sends requests under the victim's key id, signed with another key."""
    forger = await town.peer([])
    for _ in range(10):
        message = victim.peer.sign("GET", "/v1/datasets/vitals/records")
        spoilt = message.with_header("signature", re.sub(r"=:.{20}", "=:" + "A" * 20, message.header("signature")))
        victim.answered.append((time.time(), (await forger.send(spoilt)).status_code))


async def enumeration(_town: Town, attacker: Actor) -> None:
    """Study after study is asked for, none of them one's own."""
    for _ in range(40):
        await attacker.do("GET", f"/v1/studies/{uuid4()}")


async def scraping(_town: Town, attacker: Actor) -> None:
    """Everything that may be read is read, page after page, as fast as it comes."""
    cursor = ""
    for _ in range(150):
        response = await attacker.peer.request("GET", f"/v1/datasets/vitals/records?limit=10{cursor}")
        attacker.answered.append((time.time(), response.status_code))
        following = response.json().get("next")
        cursor = f"&cursor={following}" if following else ""


async def flood(_town: Town, attacker: Actor) -> None:
    """One request, as often as the connection carries it."""
    for _ in range(60):
        await asyncio.gather(*(attacker.do("GET", "/v1/studies") for _ in range(5)))


async def credential_stuffing(town: Town, attacker: Actor) -> None:
    """Enrollment tokens are guessed, with a fresh key each."""
    guesser = await town.peer([])
    for _ in range(60):
        keys = [PrivateKey.generate(SignatureAlgorithm.ED25519)]
        body = enrollment(f"sat_{secrets.token_urlsafe(32)}", keys)
        await attacker.do("POST", "/v1/clients", body, guesser, keys=keys)


async def key_theft(town: Town, victim: Actor) -> None:
    """The key is used from another network, by another program, to look around."""
    thief = await town.peer(list(victim.peer.keys), "curl/8.5")
    targets = [
        "/v1/clients/me",
        "/v1/sessions",
        "/v1/studies",
        "/v1/clients",
        "/v1/ledger",
        "/v1/datasets/labs/records",
    ]
    for number in range(40):
        await victim.do("GET", targets[number % len(targets)], None, thief)
        await asyncio.sleep(0.05)


async def privilege_probing(_town: Town, attacker: Actor) -> None:
    """What only admins may do is tried."""
    tries: list[tuple[str, str, Any]] = [
        ("GET", "/v1/clients", None),
        ("POST", "/v1/tokens", {"organization": "hospital-a", "role": "admin"}),
        ("POST", "/v1/organizations", {"name": "mine"}),
        ("GET", "/v1/ledger", None),
        ("GET", "/v1/organizations", None),
        ("GET", "/v1/alerts", None),
    ]
    for number in range(36):
        await attacker.do(*tries[number % len(tries)])
        await asyncio.sleep(0.05)


async def fuzzing(_town: Town, attacker: Actor) -> None:
    """Bodies that no route takes."""
    rng = random.Random(7)
    for _ in range(60):
        target = rng.choice(["/v1/datasets", "/v1/datasets/vitals/records", "/v1/studies", "/v1/sessions"])
        await attacker.do("POST", target, b'{"name":' + rng.randbytes(rng.randrange(1, 2000)).hex().encode() + b"}")


async def session_churn(_town: Town, attacker: Actor) -> None:
    """Handshake after handshake, and no request within a session."""
    for _ in range(60):
        public_key = encode_base64url(KemPrivateKey.generate(KemAlgorithm.X_WING).public_key.raw)
        await attacker.do("POST", "/v1/sessions", {"suite": "x-wing", "public_key": public_key})


async def data_poisoning(_town: Town, attacker: Actor) -> None:
    """Records by the thousand, where there used to be a handful."""
    for _ in range(40):
        await attacker.do("POST", "/v1/datasets/vitals/records", [RECORD] * 400)


ATTACKS: dict[str, Attack] = {
    attack.__name__.replace("_", " "): attack
    for attack in (
        replayed_nonces, forged_signatures, enumeration, credential_stuffing, privilege_probing, key_theft, scraping,
        flood, fuzzing, data_poisoning, session_churn,
    )
}  # fmt: skip


@dataclass
class Outcome:
    """What came of an attack: the alert that names who did it, or whose network or route it was; None if none."""

    kind: str
    sent: int
    alert: dict[str, Any] | None
    after: int
    others: int


async def attack(made: Town, kind: str, actor: Actor) -> Outcome:
    """Attack, and look for the alert: of the client, else of a network or route, that was not there before."""
    before = {alert["id"] for alert in await made.alerts()}
    began = time.time()
    mine: list[tuple[float, int]] = []
    watched = Actor(actor.name, actor.peer, actor.role, actor.client_id, mine)
    await ATTACKS[kind](made, watched)
    await asyncio.sleep(1.5)
    new = [alert for alert in await made.alerts() if alert["id"] not in before and _time(alert) >= began]
    its = [alert for alert in new if alert["subject"] != "client" or alert["key"] == actor.client_id]
    its.sort(key=lambda alert: (alert["subject"] == "route", _time(alert)))
    chosen = its[0] if its else None
    after = 0 if chosen is None else max(1, sum(at <= _time(chosen) + 0.005 for at, _ in mine))
    return Outcome(kind, len(mine), chosen, after, len(new) - len(its))


def _time(alert: dict[str, Any]) -> float:
    return datetime.fromisoformat(alert["opened"]).timestamp()


class Runner:
    """Starts servers on one port, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.processes = ProcessRunner(folder)
        self.port = free_port()

    @contextmanager
    def server(self, home: Path) -> Iterator[SecureApiServer]:
        """Run a server; what it learned is saved when it ends."""
        url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
        server = start_secure_api(self.processes, home, url, port=self.port, env=ENVIRONMENT)
        try:
            yield server
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait()


async def campaign(home: Path, runner: Runner) -> tuple[list[Outcome], int, int]:
    """Let everybody work for a while, then run every attack on a copy of what the server has learned until then.

    Returns what came of each, how many alerts named somebody else, and the requests of the others.
    """
    async with AsyncExitStack() as stack:
        with runner.server(home) as server:
            made = await settle(server, stack)
            async with at_work(made):
                while sum(len(actor.answered) for actor in made.actors) < HISTORY:  # noqa: ASYNC110 - others count
                    await asyncio.sleep(0.2)
            total = sum(len(actor.answered) for actor in made.actors)
            false = len(await made.alerts())
        analysts = [actor for actor in made.actors if actor.role == "analyst"]
        contributors = [actor for actor in made.actors if actor.role == "contributor"]
        outcomes = []
        for number, kind in enumerate(ATTACKS):
            copy = home.with_name(f"home-{number}")
            shutil.copytree(home, copy)
            with runner.server(copy):
                for actor in made.actors:
                    actor.answered = []
                async with at_work(made):
                    await asyncio.sleep(2)
                    actor = contributors[number % 3] if kind in {"data poisoning", "fuzzing"} else analysts[number]
                    outcomes.append(await attack(made, kind, actor))
                total += sum(len(actor.answered) for actor in made.actors)
                false += outcomes[-1].others
        return outcomes, false, total


def table(outcomes: list[Outcome], false: int, total: int) -> str:
    """The table, and the text of every alert."""
    lines = [
        "| attack | requests | alert | after | rank | action when enforced |",
        "|---|---|---|---|---|---|",
    ]
    texts = []
    for outcome in outcomes:
        alert = outcome.alert
        if alert is None:
            lines.append(f"| {outcome.kind} | {outcome.sent} | **none** | | | |")
            continue
        why = alert["rule"] or "the model"
        lines.append(
            f"| {outcome.kind} | {outcome.sent} | {alert['subject']}: {why} | {outcome.after} "
            f"| {alert['rank'] or ''} | {alert['action']} |"
        )
        texts += [f"{outcome.kind}:", *(f"    {line}" for line in alert["text"].splitlines()), ""]
    found = sum(outcome.alert is not None for outcome in outcomes)
    closing = (
        f"{found} of {len(outcomes)} were found, each by a server that had seen {HISTORY} requests before. {false} "
        f"alerts named somebody else, among {total} requests of the others. The texts:"
    )
    return "\n".join([*lines, "", closing, "", "```text", *texts[:-1], "```"])


def main() -> None:
    """Run the campaign on a server of its own, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home", None)
        asyncio.run(install(f"sqlite+aiosqlite:///{home / 'secure-api.db'}"))
        runner = Runner(Path(folder) / "processes")
        try:
            text = table(*asyncio.run(campaign(home, runner)))
        finally:
            runner.processes.stop_all()
    page = PAGE.read_text()
    PAGE.write_text(
        re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{text}\n{END}", page, flags=re.DOTALL)
    )
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
