"""A masked study goes on when its server, and one of its contributors, are killed in any of its stages."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto import MaskingOrderError, write_private_key
from secure_api.client import ClientProfile, ProfileStore, ServerUnusable
from secure_api.client.errors import MaskedMemoryUnusable
from secure_api.client.send import Send
from secure_api.client.studies import StudyClient, patient
from tests.durability.conftest import EVERY_KILL, Start
from tests.durability.stored import wait_for
from tests.durability.study_members import HIGH, HOSPITALS, LOW, QUICK, Crowd, Member, Part, gated, new_study
from tests.services.fixtures.process import ProcessRunner, ServerProcess
from tests.services.fixtures.secure_api_server import SecureApiServer

STAGES = ("advertisement", "sharing", "contribution", "confirmation", "reveal")
DIMENSION = 5
SHARED = "SELECT client_id FROM study_messages WHERE study_id = :study AND stage = 'sharing'"
LOOK = 0.05


class Killed(BaseException):
    """Stands for SIGKILL in a thread: no code of the contributor runs after it but the release of what it holds."""


def masked_study(
    crowd: Crowd, server: SecureApiServer, dropped: int = 0, **more: Any
) -> tuple[Member, list[Member], dict[str, Any]]:
    """An analyst, four contributors, and their study; so many more are on the roster, and never come."""
    analyst = crowd.enroll(server, "institute", "analyst")
    members = [crowd.enroll(server, name) for name in (*HOSPITALS, *HOSPITALS[:dropped])]
    roster = {"roster": [member.keyid for member in members], "stage_seconds": 3_600}
    made = new_study("masked", DIMENSION, members, parameters=roster, **more)
    created = json.loads(analyst.send("POST", "/v1/studies", json.dumps(made).encode()))
    return analyst, members, created


def values_of(count: int) -> np.ndarray:
    """Random values, a row a contributor."""
    return np.random.default_rng(5).uniform(0.0, HIGH, (count, DIMENSION))


def awaiting(analyst: Member, study: str, state: str, stage: str) -> None:
    """Return when the study waits for messages of a stage."""
    while True:
        standing = analyst.http.get(f"/v1/studies/{study}/masking").json()
        if (standing["state"], standing["stage"]) == (state, stage):
            return
        threading.Event().wait(LOOK)


@pytest.mark.skipif(not EVERY_KILL, reason="STUDY_KILLS=1")
def test_the_server_is_killed_in_each_stage(start: Start, crowd: Crowd, tmp_path: Path, workers: int) -> None:
    server = start(workers)
    analyst, members, created = masked_study(crowd, server)
    study, values = created["id"], values_of(4)
    arrived = {stage: threading.Semaphore(0) for stage in STAGES}
    goes_on = {stage: threading.Event() for stage in STAGES}

    def contributor(number: int) -> Any:
        """One after whose message of a stage nothing happens until the last one's, which waits for the kill."""

        def gate(method: str, path: str) -> None:
            stage = path.rsplit("/", 1)[-1]
            if method != "PUT":
                return
            if number == 3:
                goes_on[stage].wait()
            arrived[stage].release()

        member = members[number]
        send = gated(patient(sending(member), QUICK), gate)
        found = StudyClient(send).get(study)
        return StudyClient(send).take_part(
            found, values[number], member.key, look_seconds=LOOK, folder=tmp_path / str(number)
        )

    parts = [Part(lambda number=number: contributor(number)) for number in range(4)]  # type: ignore[misc]
    for stage in STAGES:
        for _ in range(2):
            arrived[stage].acquire()  # two have sent, or are about to; the third may be in the middle of it
        server.process.kill()
        goes_on[stage].set()
        server = start(workers)
        if stage == "advertisement":
            for _ in range(2):
                arrived[stage].acquire()
            while analyst.studies.get(study)["contributions"] < 4:
                threading.Event().wait(LOOK)
            analyst.studies.close(study)
    results = [part.outcome() for part in parts]
    assert all(result == results[0] for result in results)
    assert results[0]["contributors"] == 4
    assert results[0]["values"] == pytest.approx(values.mean(axis=0), abs=1e-5)


def sending(member: Member) -> Send:
    """Send as a member, without patience."""
    return lambda method, path, content, content_type: member.send(method, path, content, content_type)


@pytest.mark.parametrize("privacy", [None, {"epsilon": 2.0, "delta": 1e-6}], ids=["exact", "noise"])
def test_a_contributor_is_killed_before_and_after_each_of_its_requests(
    start: Start, crowd: Crowd, tmp_path: Path, privacy: dict[str, float] | None
) -> None:
    """With noise, too: another draw under the same masks would be another message."""
    server = start()
    analyst, members, created = masked_study(crowd, server, dropped=1, privacy=privacy)  # one never comes
    study, values = created["id"], values_of(5)
    looked = threading.Event()

    def gate(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("masking/reveal"):
            looked.wait()

    others = [
        Part(
            lambda number=number: StudyClient(gated(patient(sending(members[number])), gate)).take_part(  # type: ignore[misc]
                created, values[number], members[number].key, look_seconds=LOOK, folder=tmp_path / "others"
            )
        )
        for number in (1, 2, 3)
    ]
    sent: dict[str, set[str]] = defaultdict(set)
    kills: dict[tuple[str, str], int] = defaultdict(int)
    own = patient(sending(members[0]))  # a busy database is no kill

    def dying(method: str, path: str, content: bytes, content_type: str) -> bytes:
        request = method, path.rsplit("/", 1)[-1]
        if request == ("GET", "confirmations") and kills["PUT", "reveal"] == 2 and not looked.is_set():
            looked.set()  # it has revealed, is to do so again, and the study is over before it can
            while analyst.studies.get(study)["state"] != "released":
                threading.Event().wait(LOOK)
        kills[request] += 1
        if kills[request] == 1:
            raise Killed
        if method == "PUT":
            sent[request[1]].add(hashlib.sha256(content).hexdigest())
        answer = own(method, path, content, content_type)
        if kills[request] == 2:
            raise Killed
        return answer

    def go_on(study: dict[str, Any], row: np.ndarray) -> dict[str, Any]:
        folder = tmp_path / "killed"
        return StudyClient(dying).take_part(study, row, members[0].key, look_seconds=LOOK, folder=folder)

    result = None
    closing = Part(lambda: close_when(analyst, study, 4))
    while result is None:
        try:
            result = go_on(created, values[0])
        except Killed:
            if ("PUT", "contribution") in kills and ("PUT", "confirmation") not in kills:
                if privacy is None:  # noise hides what was contributed: the same message is sent whatever the values
                    with pytest.raises(MaskingOrderError, match="other values were contributed before"):
                        go_on(created, values[1])
                with pytest.raises(MaskedMemoryUnusable, match="describes the study otherwise than before"):
                    go_on(created | {"bounds": {"low": LOW, "high": 2 * HIGH}}, values[0])
    closing.outcome()
    assert [part.outcome() for part in others] == [result] * 3
    assert result["contributors"] == 4
    assert result["values"] == pytest.approx(values[:4].mean(axis=0), abs=1e-5 + 10 * result.get("noise", 0.0))
    assert ("noise" in result) is (privacy is not None)
    assert {stage: len(digests) for stage, digests in sent.items()} == dict.fromkeys(STAGES, 1), (
        "two different messages"
    )
    assert len(kills) >= 12
    assert kills.pop(("PUT", "reveal")) == 2, "it was not sent a third time"
    assert min(kills.values()) > 2, "each other request was survived, twice"
    (kept,) = [path for path in (tmp_path / "killed").iterdir() if not path.name.endswith(".lock")]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.stat().st_size < 100, "secrets are left"
    assert go_on(created, values[0]) == result, "the result can be read again"

    aborted = analyst.studies.create(
        new_study("masked", DIMENSION, members, parameters={"roster": [member.keyid for member in members]})
    )
    kills.clear()
    while ("PUT", "advertisement") not in kills:
        with pytest.raises(Killed):
            go_on(aborted, values[0])
    analyst.studies.abort(aborted["id"], "it was only a test")
    (other,) = [path for path in (tmp_path / "killed").iterdir() if not path.name.startswith(".") and path != kept]
    assert other.stat().st_size > 100
    kills.update(dict.fromkeys(kills, 2))
    kills["GET", "masking"] = 2
    for _ in range(2):
        with pytest.raises(ServerUnusable, match="the study was aborted"):
            go_on(aborted, values[0])
        assert other.stat().st_size < 100


def test_the_command_and_the_server_are_killed_in_the_middle_and_run_again(
    start: Start, crowd: Crowd, tmp_path: Path, workers: int, run_process: ProcessRunner
) -> None:
    server = start(workers)
    analyst, members, created = masked_study(crowd, server)
    study, values = created["id"], values_of(4)
    killed = threading.Event()

    def gate(_method: str, path: str) -> None:
        if path.endswith("masking/sharing"):
            killed.wait()

    others = [
        Part(
            lambda number=number: StudyClient(gated(patient(sending(members[number]), QUICK), gate)).take_part(  # type: ignore[misc]
                created, values[number], members[number].key, look_seconds=LOOK
            )
        )
        for number in (1, 2, 3)
    ]
    write_private_key(tmp_path / "north.pem", members[0].key, None)
    profile = ClientProfile(name="north", url=f"http://{server.authority}", keys=(tmp_path / "north.pem",))
    ProfileStore(tmp_path).put(profile)
    (tmp_path / "stays.csv").write_text("days\n" + "\n".join(map(repr, values[0].tolist())))

    def contribute(file: str = "stays.csv") -> ServerProcess:
        command = (sys.executable, "-m", "secure_api", "study", "contribute", study, tmp_path / file)
        return run_process(*command, "--column", "days", "--profile", "north", "--config", tmp_path)

    first = contribute()
    close_when(analyst, study, 4)
    wait_for(server.url, SHARED, lambda rows: len(rows) == 1, study=study)
    second = contribute()
    assert second.wait() == 7, second.output()
    assert "another process takes part in this study" in second.output()
    first.kill()
    server.process.kill()
    killed.set()  # the others send their boxes to nobody, for a while
    start(workers)
    again = contribute()
    assert again.wait() == 0, again.output()
    result = json.loads(again.stdout.read_text())
    assert [part.outcome() for part in others] == [result] * 3
    assert result["values"] == pytest.approx(values.mean(axis=0), abs=1e-5)
    (kept,) = [path for path in (tmp_path / "masked").iterdir() if not path.name.startswith(".")]
    assert kept.stat().st_size < 100, "secrets are left"


def close_when(analyst: Member, study: str, count: int) -> None:
    """Close a study when so many have come."""
    while analyst.studies.get(study)["contributions"] < count:
        threading.Event().wait(LOOK)
    analyst.studies.close(study)
