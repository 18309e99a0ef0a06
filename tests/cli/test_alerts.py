"""`secure-api alerts`: listed, followed, explained and labeled."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from unittest import mock
from uuid import uuid4

import httpx
import pytest

from secure_api.client import SignatureAuth
from tests.cli.program import COMMAND, Program
from tests.cli.serving import serving
from tests.services.fixtures.process import ProcessRunner


@pytest.fixture
def watched(installed: Program) -> Iterator[Program]:
    """The program in front of a server whose first admin has been up to something."""
    with mock.patch.dict(os.environ, {"SECURE_API_BEHAVIOR_INTERVAL": "0.1"}), serving(installed) as server:
        auth = SignatureAuth.from_profile("admin", installed.config)
        with httpx.Client(base_url=server.url, auth=auth, trust_env=False) as client:
            for _ in range(8):
                assert client.get(f"/v1/studies/{uuid4()}").status_code == 404
        while not installed("alerts", "list", "--json").ok().json()["alerts"]:
            time.sleep(0.05)
        yield installed


def test_alerts_are_listed_followed_explained_and_labeled(watched: Program) -> None:
    (alert,) = watched("alerts", "list", "--json").ok().json()["alerts"]
    id = alert["id"]
    row = watched("alerts", "list", "--state", "open").ok().out.rstrip("\n").split("\t")
    assert row[1:2] + row[3:5] == [id, f"client {alert['key']}", "foreign objects"]
    told = watched("alerts", "tail", "--no-follow").ok().out
    assert f"alert {id} (sequence {alert['sequence']})" in told
    assert "after 8 requests" in told
    assert "Last routes: " in told
    assert watched("alerts", "explain", id).ok().out == told
    assert watched("alerts", "explain", id, "--json").ok().json() == alert
    assert f"{id} is labeled false" in watched("alerts", "label", id, "false", "--note", "a test").ok().said
    labeled = json.loads(watched("alerts", "tail", "--no-follow", "--json").ok().out)
    assert (labeled["label"], labeled["note"], labeled["state"]) == ("false", "a test", "labeled")
    assert "Labeled false: a test" in watched("alerts", "explain", id).ok().out
    assert watched("alerts", "list", "--state", "open").ok().out == ""
    again = watched("alerts", "label", id, "expected-automation", "--json").ok().json()
    assert again["label"] == "expected-automation"
    assert watched("alerts", "tail", "--no-follow", "--after", str(alert["sequence"])).ok().out == ""
    watched("alerts", "explain", str(uuid4())).failed(4, "404")
    watched("alerts", "label", id, "perhaps").failed(2)
    watched("alerts", "list", "--since", "yesterday").failed(4, "422")


def test_who_follows_waits_for_a_server_that_is_away(installed: Program, run_process: ProcessRunner) -> None:
    with serving(installed) as first:
        follow = (*COMMAND, "alerts", "tail", "--every", "0.2", "--config", installed.config)
        following = run_process(*follow, env=installed.environment())
        while "/v1/alerts" not in first.log():
            assert following.returncode is None, following.output()
            time.sleep(0.05)
    with serving(installed, "--port", str(first.port)) as second:
        while "/v1/alerts" not in second.log():
            assert following.returncode is None, following.output()
            time.sleep(0.05)
