"""`secure-api mpc`: parties that three organizations run against a server, from their keys to the released result."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy
import pytest

from crypto.mpc import seal_contribution
from secure_api.client import ProfileStore, SignatureAuth
from secure_api.client.mpc import StudyTerms
from tests.cli.conftest import Consortium
from tests.cli.program import Program
from tests.unit.crypto.mpc.local_study import quiet_port

VALUES = {"north": [1.5, -2.0], "south": [0.25, 4.0], "west": [3.0, 1.0]}


@dataclass(frozen=True)
class Parties:
    """Three organizations with a profile and a party's folder each, and the analyst's profile."""

    program: Program
    url: str
    folder: Path
    names: list[str]
    described: list[dict[str, str]]

    def call(self, profile: str, method: str, path: str, content: bytes = b"", kind: str = "application/json") -> Any:
        auth = SignatureAuth(*ProfileStore(self.program.config).get(profile).read_keys())
        with httpx.Client(base_url=self.url, auth=auth) as client:
            response = client.request(method, path, content=content, headers={"Content-Type": kind})
        assert response.is_success, (response.status_code, response.text)
        return response.json() if response.content else None

    def study(self, *, close: bool = True) -> str:
        """Create a study, have all contribute, and close it; gives its id."""
        terms = {
            "name": "flu",
            "method": "mpc",
            "statistic": "mean",
            "dimension": 2,
            "bounds": {"low": -8.0, "high": 8.0},
            "contributors": self.names,
            "minimum_contributors": 3,
            "deadline": (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z"),
            "parameters": {"parties": self.described},
        }
        created = self.call("analyst", "POST", "/v1/studies", json.dumps(terms).encode())
        study = StudyTerms.parse(created)
        path = f"/v1/studies/{created['id']}"
        for name, values in zip(self.names, VALUES.values(), strict=True):
            (key,) = ProfileStore(self.program.config).get(name).read_keys()
            keys = study.parameters.sealing_keys
            content = seal_contribution(study.terms, numpy.array(values), key.keyid, keys, secrets.token_bytes)
            self.call(name, "PUT", f"{path}/contribution", content, "application/octet-stream")
        if close:
            self.call("analyst", "POST", f"{path}/close")
        identifier: str = created["id"]
        return identifier


@pytest.fixture(scope="module")
def parties(consortium: Consortium, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Parties:
    folder, program = tmp_path_factory.mktemp("parties"), consortium.program
    names = [unique(name) for name in VALUES]
    described = []
    sockets = [quiet_port() for _ in names]
    for name, port in zip(names, sockets, strict=True):
        program("organizations", "create", name).ok()
        enroll(consortium, folder, name, name, "contributor")
        address = f"127.0.0.1:{port.getsockname()[1]}"
        words = ("--folder", folder / name, "--organization", name, "--address", address)
        described.append(program("mpc", "init", *words).ok().json())
    enroll(consortium, folder, "analyst", names[0], "analyst")
    for port in sockets:
        port.close()
    return Parties(program, consortium.url, folder, names, described)


def enroll(consortium: Consortium, folder: Path, profile: str, organization: str, role: str) -> None:
    program = consortium.program
    token = program("tokens", "create", "--organization", organization, "--role", role).ok().out.strip()
    key = folder / f"{profile}.pem"
    program("keys", "generate", "--algorithm", "ed25519", "--out", key, "--no-passphrase").ok()
    program("enroll", "--url", consortium.url, "--token", token, "--key", key, "--profile", profile).ok()


def test_three_organizations_run_their_parties_and_the_mean_is_released(parties: Parties) -> None:
    study = parties.study()
    commands: list[tuple[str | Path, ...]] = [
        ("mpc", "party", "--study", study, "-d", parties.folder / name, "-p", name, *rest)
        for name, rest in zip(parties.names, (("--json",), ("--json",), ()), strict=True)
    ]
    pipe = subprocess.PIPE
    running = [
        parties.program.start(*command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) for command in commands[:2]
    ]
    last = parties.program(*commands[2]).ok()
    ends = [(process.communicate(), process.returncode) for process in running]
    assert [status for _, status in ends] == [0, 0], ends
    told = [json.loads(out) for (out, _), _ in ends]
    assert told[0]["transcript"] == told[1]["transcript"]
    assert f"transcript {told[0]['transcript']}" in last.said
    assert parties.call("analyst", "GET", f"/v1/studies/{study}")["state"] == "released"
    result = parties.call("analyst", "GET", f"/v1/studies/{study}/result")
    assert result["values"] == [4.75 / 3, 1.0]
    assert result["transcript"] == told[0]["transcript"]


def test_a_party_without_the_keys_that_the_study_pins_does_not_begin(parties: Parties, tmp_path: Path) -> None:
    study = parties.study()
    program, name = parties.program, parties.names[0]
    words = ("--folder", tmp_path / "party", "--organization", name, "--address", "127.0.0.1:1")
    program("mpc", "init", *words).ok()
    program("mpc", "init", *words).failed(7, "there already")
    until = ("mpc", "party", "--study", study, "-p", name, "-d")
    program(*until, tmp_path / "party", "--wait", "60").failed(7, "another certificate or sealing key")
    program(*until, tmp_path / "nowhere").failed(7, "cannot read")
    program(*until, parties.folder / name, "--listen", "nowhere").failed(2, "HOST:PORT")
    for address in ("none", "far.example:99999"):
        words = ("--folder", tmp_path / "other", "--organization", name, "--address", address)
        program("mpc", "init", *words).failed(2, "HOST:PORT")
    assert not (tmp_path / "other").exists()


def test_a_party_alone_gives_up_after_its_attempts_and_says_why(parties: Parties) -> None:
    study = parties.study()
    name = parties.names[0]
    words = ("mpc", "party", "--study", study, "-p", name, "-d", parties.folder / name, "--listen", "127.0.0.1:1")
    ended = parties.program(*words, "--attempts", "2", "--connect-deadline", "1")
    assert (ended.status, ended.error) == (1, "no result in 2 attempts")
    assert "attempt 0" in ended.said
    assert "attempt 1" in ended.said
    assert ended.said.count("unreachable, party 1") == 2


def test_a_study_that_is_not_closed_in_time_is_not_waited_for(parties: Parties) -> None:
    name = parties.names[0]
    study = parties.study(close=False)
    words = ("mpc", "party", "--study", study, "-p", name, "-d", parties.folder / name)
    parties.program(*words, "--wait", "0").failed(1, "the study is still open")


def test_a_study_that_is_over_or_not_closed_is_not_computed(parties: Parties) -> None:
    study = parties.study()
    parties.call("analyst", "POST", f"/v1/studies/{study}/abort", b'{"reason":"a mistake"}')
    name = parties.names[0]
    words = ("mpc", "party", "--study", study, "-p", name, "-d", parties.folder / name)
    parties.program(*words).failed(1, "the study is aborted")
