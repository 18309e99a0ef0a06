"""A masked study at its size.

`MASKED_CLIENTS=100 MASKED_VALUES=1000000 pytest tests/durability/test_masked_size.py -s` is the large one.
Clients drop out before three of the stages. What it took is printed: seconds, and the most memory of the server.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crypto import MaskingClient
from crypto.masking.parameters import MaskedStudy
from tests.attacks import sql
from tests.consortium import make_home
from tests.durability.stored import wait_for
from tests.durability.study_members import HIGH, HOSPITALS, LOW, OCTETS, Crowd, Member, new_study
from tests.installations import sqlite_template
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import start_secure_api

__all__ = ["sqlite_template"]

CLIENTS = int(os.environ.get("MASKED_CLIENTS", "7"))
VALUES = int(os.environ.get("MASKED_VALUES", "2000"))
DROPOUTS = {"contribution": CLIENTS // 7, "confirmation": CLIENTS // 14, "reveal": CLIENTS // 14}
PROGRESS = "SELECT content FROM study_states WHERE study_id = :study AND name = 'progress'"
STATE = "SELECT state, reason FROM studies WHERE id = :study"


class Taking:
    """Everybody who takes part in one study; a few work at a time, so that the test's own memory says nothing."""

    def __init__(self, url: str, study: str, masked: MaskedStudy, members: list[Member]) -> None:
        self.url, self.study, self.masked = url, study, masked
        roster = masked.roster_of([member.key.public_key for member in members])
        self.members = members
        self.clients = [MaskingClient.join(masked.terms, roster, index) for index in range(1, len(members) + 1)]
        self.present = list(range(len(members)))
        self.began = time.monotonic()

    def values(self, number: int) -> np.ndarray:
        """What one of them contributes: made again whenever it is asked for."""
        return np.random.default_rng(number).uniform(LOW, HIGH, VALUES)

    def told(self, number: int, name: str) -> bytes:
        """Read what the server tells."""
        return self.members[number].send("GET", f"/v1/studies/{self.study}/masking/told/{name}")

    def stage(self, name: str, message: Callable[[int], bytes]) -> None:
        """Have everybody who is left send the message of a stage; then its time is over."""
        dropped = DROPOUTS.get(name, 0)
        self.present = self.present[dropped:]
        path = f"/v1/studies/{self.study}/masking/{name}"
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda number: self.members[number].send("PUT", path, message(number), OCTETS), self.present))
        sys.stdout.write(f"{time.monotonic() - self.began:.0f} s: {len(self.present)} sent their {name}\n")
        if dropped:
            over = json.dumps({"stage": name, "since": 0})
            sql.execute(
                self.url,
                f"UPDATE study_states SET content = CAST('{over}' AS BLOB) "
                f"WHERE study_id = '{self.study}' AND name = 'progress'",
            )

    def reaches(self, stage: str) -> None:
        """Wait until the server waits for a stage."""
        wait_for(
            self.url,
            PROGRESS,
            lambda rows: bool(rows) and json.loads(bytes(rows[0][0]))["stage"] == stage,
            study=self.study,
        )


def most_memory(pid: int) -> float:
    """The most resident memory that a process ever had, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is asked of /proc")
def test_a_long_masked_sum_of_many(
    crowd: Crowd, tmp_path: Path, run_process: ProcessRunner, sqlite_template: Path
) -> None:
    home = make_home(tmp_path / "home", sqlite_template)
    environment = {"SECURE_API_STUDY_INTERVAL": "0.2", "SECURE_API_MAX_BODY_BYTES": str(max(1 << 20, 4 * VALUES + 100))}
    url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
    server = start_secure_api(run_process, home, url, env=environment)
    analyst = crowd.enroll(server, "institute", "analyst")
    members = [crowd.enroll(server, HOSPITALS[number % 4]) for number in range(CLIENTS)]
    (worker,) = server.worker_pids()
    at_rest = most_memory(worker)
    parameters = {"roster": [member.keyid for member in members], "stage_seconds": 86_400}
    made = new_study("masked", VALUES, members, parameters=parameters, statistic="sum")
    created = json.loads(analyst.send("POST", "/v1/studies", json.dumps(made).encode()))
    masked = MaskedStudy.parse(created["id"], VALUES, LOW, HIGH, 3, created["parameters"])
    taking = Taking(server.url, created["id"], masked, members)
    clients = taking.clients

    taking.stage("advertisement", lambda number: clients[number].advertise(members[number].key))
    analyst.studies.close(created["id"])
    taking.reaches("sharing")
    taking.stage(
        "sharing", lambda number: clients[number].share(taking.told(number, "participants"), members[number].key)
    )
    taking.reaches("contribution")

    def contribute(number: int) -> bytes:
        clients[number].receive(taking.told(number, "delivery"))
        return clients[number].contribute(masked.encode(taking.values(number)))

    taking.stage("contribution", contribute)
    inside = list(taking.present)
    taking.reaches("confirmation")
    taking.stage(
        "confirmation", lambda number: clients[number].confirm(taking.told(number, "survivors"), members[number].key)
    )
    taking.reaches("reveal")
    taking.stage("reveal", lambda number: clients[number].reveal(taking.told(number, "confirmations")))
    (ended,) = wait_for(server.url, STATE, lambda rows: rows[0][0] not in ("open", "computing"), study=created["id"])
    assert ended == ("released", None)
    took = time.monotonic() - taking.began
    before_reading = most_memory(worker)
    result = json.loads(analyst.studies.result(created["id"]))

    expected = np.zeros(VALUES)
    for number in inside:
        expected += taking.values(number)
    worst = float(np.abs(np.array(result["values"]) - expected).max())
    assert worst <= result["error_bound"] + 1e-9 * len(inside) * HIGH
    assert (result["contributors"], result["dropped"]) == (len(inside), DROPOUTS["contribution"])
    database = Path(home / "secure-api.db").stat().st_size >> 20
    sys.stdout.write(
        f"{CLIENTS} clients x {VALUES} values in {took:.0f} s, {DROPOUTS} dropped out before these stages; worst error"
        f" {worst:.3g}, bound {result['error_bound']:.3g}; MiB of the server: {at_rest:.0f} at rest,"
        f" {before_reading:.0f} at most, {most_memory(worker):.0f} with the result read; of its database: {database}\n"
    )
    row = 4 * VALUES / 2**20
    boxes = CLIENTS * 8 * 5_000 / 2**20
    assert before_reading - at_rest < 150 + 40 * row + 4 * boxes, "memory grows with the number of contributions"
