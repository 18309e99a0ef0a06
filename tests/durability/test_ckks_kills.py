"""A study of encrypted sums goes on when its server is killed while contributions come, and while it adds them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey, Encryptor
from secure_api.client.studies import homomorphic_terms
from tests.durability.conftest import Start
from tests.durability.stored import wait_for
from tests.durability.study_members import HIGH, HOSPITALS, Crowd, Member, Part, new_study

CONTRIBUTORS = 12
DIMENSION = 50_000  # a contribution has 0.9 MiB, and four are added in one step
TAKEN = "SELECT taken FROM study_contributions WHERE study_id = :study"
STATE = "SELECT state FROM studies WHERE id = :study"


def test_the_server_is_killed_while_contributions_come_and_while_it_adds(
    start: Start, crowd: Crowd, tmp_path: Path, workers: int
) -> None:
    server = start(workers)
    analyst = crowd.enroll(server, "institute", "analyst")
    members = [crowd.enroll(server, HOSPITALS[number % 4]) for number in range(CONTRIBUTORS)]
    key = AnalystKey.create(HOMOMORPHIC_PARAMETERS["bfv-8192"])
    key.save(tmp_path / "key", None)
    context = analyst.studies.upload_context(key.public_context)
    values = np.random.default_rng(7).integers(0, int(HIGH), (CONTRIBUTORS, DIMENSION)).astype(float)
    while True:
        study = analyst.studies.create(new_study("ckks", DIMENSION, members, parameters={"context": context}))
        sent = threading.Semaphore(0)
        parts = [Part(contribution(member, study, row, key, sent)) for member, row in zip(members, values, strict=True)]
        for _ in range(CONTRIBUTORS // 2):
            sent.acquire()
        server.process.kill()  # some were stored, some are on their way, some come later
        server = start(workers)
        assert len({part.outcome() for part in parts}) == CONTRIBUTORS
        assert analyst.studies.get(study["id"])["contributions"] == CONTRIBUTORS

        analyst.studies.close(study["id"])
        wait_for(server.url, TAKEN, lambda rows: any(row[0] for row in rows), study=study["id"])
        server.process.kill()
        rows = wait_for(server.url, TAKEN, bool, study=study["id"])
        server = start(workers)
        if not all(row[0] for row in rows):
            break  # else the server was faster than the kill

    wait_for(server.url, STATE, lambda rows: rows == [("released",)], study=study["id"])
    found = analyst.studies.get(study["id"])
    result = analyst.studies.decrypt(found, tmp_path / "key", None)
    assert result.contributors == CONTRIBUTORS
    assert result.values == pytest.approx(values.mean(axis=0), abs=result.bound)


def contribution(
    member: Member, study: dict[str, Any], row: np.ndarray, key: AnalystKey, sent: threading.Semaphore
) -> Callable[[], str]:
    """Encrypt and contribute; `sent` is told before."""
    encryptor = Encryptor(key.public_context, key.fingerprint)
    content = encryptor.encrypt(homomorphic_terms(study, encryptor.facts), row)
    assert member.studies.get(study["id"])["state"] == "open"

    def do() -> str:
        sent.release()
        return member.studies.contribute(study["id"], content)

    return do
