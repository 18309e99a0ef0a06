"""A multi-party study goes on when its server, or a compute party, is killed: while parties wait, compute and post."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.durability.compute_parties import Parties, child_of
from tests.durability.conftest import EVERY_KILL, Start
from tests.durability.stored import wait_for
from tests.durability.study_members import Crowd
from tests.services.fixtures.process import ProcessRunner

STATE = "SELECT state FROM studies WHERE id = :study"
ATTEMPTS = "SELECT content FROM study_states WHERE study_id = :study AND name = 'attempts'"
SIDE_BY_SIDE = int(os.environ.get("MPC_STUDIES", "1"))


def posted(rows: list[Any]) -> int:
    """How many parties have posted what came out."""
    return len(json.loads(bytes(rows[0][0]))["posted"]) if rows else 0


def test_the_server_is_killed_while_parties_wait_compute_and_post(
    start: Start, crowd: Crowd, tmp_path: Path, run_process: ProcessRunner, workers: int
) -> None:
    server = start(workers)
    parties = Parties.meet(crowd, server, tmp_path, run_process)
    study = parties.create("flu", 3)
    values = parties.contribute(study, 11)
    processes = [parties.party("flu", index, study["id"]) for index in range(3)]
    if EVERY_KILL:
        server.process.kill()  # whether they have looked, or find nobody when they first do
        server = start(workers)
    parties.analyst.studies.close(study["id"])
    for process in processes:
        child_of(process)
    processes[2].send_signal(signal.SIGSTOP)  # its child goes on computing, and nobody posts what comes out
    if EVERY_KILL:
        server.process.kill()
        server = start(workers)
    wait_for(server.url, ATTEMPTS, lambda rows: posted(rows) == 2, study=study["id"])
    server.process.kill()
    server = start(workers)
    processes[2].send_signal(signal.SIGCONT)
    assert [process.wait() for process in processes] == [0, 0, 0], [process.output() for process in processes]
    wait_for(server.url, STATE, lambda rows: rows == [("released",)], study=study["id"])
    result = json.loads(parties.analyst.studies.result(study["id"]))
    assert result["attempt"] == 0
    assert result["values"] == pytest.approx(values.mean(axis=0), abs=2**-16)


@pytest.mark.skipif(not EVERY_KILL, reason="STUDY_KILLS=1 (and MPC_STUDIES=10 for as many at once)")
def test_a_killed_party_is_run_again_and_studies_side_by_side_do_not_mix(
    start: Start, crowd: Crowd, tmp_path: Path, run_process: ProcessRunner, workers: int
) -> None:
    server = start(workers)
    parties = Parties.meet(crowd, server, tmp_path, run_process)
    names = [f"study-{number}" for number in range(SIDE_BY_SIDE)]
    studies = [parties.create(name, 2) for name in names]
    values = [parties.contribute(study, seed) for seed, study in enumerate(studies)]
    for study in studies:
        parties.analyst.studies.close(study["id"])
    processes = [
        [parties.party(name, index, study["id"]) for index in range(3)]
        for name, study in zip(names, studies, strict=True)
    ]
    child_of(processes[0][1])
    processes[0][1].kill()
    wait_for(server.url, ATTEMPTS, lambda rows: json.loads(bytes(rows[0][0]))["attempt"] >= 1, study=studies[0]["id"])
    told = json.loads(bytes(wait_for(server.url, ATTEMPTS, bool, study=studies[0]["id"])[0][0]))["aborts"]
    assert {abort[2] for abort in told} <= {"party-lost", "stopped", "unreachable"}
    assert parties.analyst.studies.get(studies[0]["id"])["state"] == "computing"
    processes[0][1] = parties.party(names[0], 1, studies[0]["id"])
    for three in processes:
        assert [process.wait() for process in three] == [0, 0, 0], [process.output() for process in three]
    for study, expected in zip(studies, values, strict=True):
        result = json.loads(parties.analyst.studies.result(study["id"]))
        assert result["values"] == pytest.approx(expected.mean(axis=0), abs=2**-16)
        assert result["attempt"] == 0 or study is studies[0]
