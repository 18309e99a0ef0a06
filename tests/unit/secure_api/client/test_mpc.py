"""What a party does with a server that lies, is not ready, or has gone on without it; `send` is its voice."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy
import pytest

from crypto import MpcAborted, MpcError, MpcFormatError
from crypto.mpc import Deadlines, SharedContribution, seal_contribution
from crypto.mpc.boxes import box_digest
from crypto.mpc.identity import PartyIdentity
from secure_api.client import ServerUnusable
from secure_api.client.mpc import PartyClient, Standing, StudyTerms, mpc_terms

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Server:
    """Answers as told; notes what was posted."""

    def __init__(self, folder: Path) -> None:
        self.identities = [PartyIdentity.create(folder / name, NOW) for name in "abc"]
        parties = [
            identity.description(name, f"127.0.0.1:{port}")
            for identity, name, port in zip(self.identities, "abc", (1, 2, 3), strict=True)
        ]
        self.study: dict[str, Any] = {
            "id": "flu",
            "method": "mpc",
            "statistic": "sum",
            "dimension": 1,
            "bounds": {"low": 0, "high": 9},
            "minimum_contributors": 1,
            "parameters": {"parties": parties},
            "state": "computing",
        }
        terms = StudyTerms.parse(self.study)
        posted = seal_contribution(
            terms.terms, numpy.array([5.0]), "k", terms.parameters.sealing_keys, secrets.token_bytes
        )
        boxes = SharedContribution.from_bytes(posted, terms.terms).boxes
        digests = [box_digest(box).hex() for box in boxes]
        self.party: Any = {"index": 0, "attempt": 4, "contributors": [{"contributor": "k", "boxes": digests}]}
        self.shares = boxes[0]
        self.refused: set[str] = set()
        self.posted: list[tuple[str, Mapping[str, object] | None]] = []

    def send(self, method: str, path: str, body: Mapping[str, object] | None) -> bytes:
        name = path.removeprefix("/v1/studies/flu").removeprefix("/").partition("?")[0]
        if name in self.refused:
            raise ServerUnusable("not now", HTTPStatus.CONFLICT)
        if method != "GET":
            self.posted.append((name, body))
            return b""
        answers: dict[str, Callable[[], bytes]] = {
            "": lambda: json.dumps(self.study).encode(),
            "party": lambda: json.dumps(self.party).encode(),
            "shares": lambda: self.shares,
        }
        return answers[name]()

    def client(self, index: int = 0, **deadlines: float) -> PartyClient:
        return PartyClient("flu", self.identities[index], self.send, Deadlines(**deadlines), ("127.0.0.1", 0))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_a_job_has_what_the_study_and_its_session_say(server: Server) -> None:
    client = server.client()
    job = client.fetch(client.look())
    assert (job.index, job.session.attempt, job.listen) == (0, 4, ("127.0.0.1", 0))
    assert job.addresses == (("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.1", 3))
    assert len(job.shares) == 8
    assert job.session.terms.digest == mpc_terms(server.study).digest


@pytest.mark.parametrize(
    "changes",
    [{"method": "ckks"}, {"bounds": {}}, {"dimension": None}, {"minimum_contributors": 0}, {"parameters": []}],
)
def test_a_description_that_makes_no_sense_is_the_servers_fault(server: Server, changes: dict[str, Any]) -> None:
    server.study |= changes
    with pytest.raises((ServerUnusable, MpcError)):
        server.client().look()


@pytest.mark.parametrize(
    "changes",
    [{"index": 3}, {"index": "0"}, {"attempt": None}, {"contributors": [{"contributor": "k", "boxes": ["x"]}]}],
)
def test_a_session_that_makes_no_sense_is_the_servers_fault(server: Server, changes: dict[str, Any]) -> None:
    client = server.client()
    server.party |= changes
    with pytest.raises((ServerUnusable, MpcError)):
        client.fetch(client.look())


def test_a_server_that_hands_out_fewer_contributions_than_the_terms_want_gets_no_computation(server: Server) -> None:
    server.study["minimum_contributors"] = 2
    client = server.client()
    with pytest.raises(MpcError, match="want 2 to 1024 contributions, not 1"):
        client.fetch(client.look())


def test_a_server_that_lowers_the_minimum_has_boxes_that_do_not_open(server: Server) -> None:
    sealed_for = StudyTerms.parse(server.study | {"minimum_contributors": 2}).terms
    keys = StudyTerms.parse(server.study).parameters.sealing_keys
    posted = seal_contribution(sealed_for, numpy.array([5.0]), "k", keys, secrets.token_bytes)
    boxes = SharedContribution.from_bytes(posted, sealed_for).boxes
    server.shares, server.party["contributors"][0]["boxes"] = boxes[0], [box_digest(box).hex() for box in boxes]
    client = server.client()
    with pytest.raises(MpcFormatError, match="does not open"):
        client.fetch(client.look())


def test_an_answer_that_is_no_object_is_the_servers_fault(server: Server) -> None:
    server.party = ["no object"]
    client = server.client()
    with pytest.raises(ServerUnusable, match="not a JSON object"):
        client.fetch(client.look())


def test_a_party_whose_keys_are_not_the_studys_does_not_begin(server: Server) -> None:
    client = server.client(index=1)
    with pytest.raises(MpcError, match="another certificate"):
        client.fetch(client.look())


@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, -1)])
def test_boxes_of_another_length_are_the_servers_fault(server: Server, cut: slice) -> None:
    server.shares = server.shares[cut]
    client = server.client()
    with pytest.raises(ServerUnusable, match="boxes"):
        client.fetch(client.look())


def test_another_box_than_the_session_names_is_posted_as_an_abort_with_its_contributor(server: Server) -> None:
    server.shares = bytes(len(server.shares))
    client = server.client()
    with pytest.raises(MpcFormatError, match="not the one"):
        client.fetch(client.look())
    ((name, body),) = server.posted
    assert name == "party-abort"
    assert body is not None
    assert (body["attempt"], body["reason"]) == (4, "malformed")
    assert "the box of k" in str(body["detail"])


@pytest.mark.parametrize("refused", [False, True])
def test_an_abort_is_posted_and_its_reason_raised_even_when_it_comes_too_late(server: Server, refused: bool) -> None:
    client = server.client(connect=0.5)
    job = client.fetch(client.look())
    if refused:
        server.refused.add("party-abort")
    with pytest.raises(MpcAborted, match="unreachable"):
        asyncio.run(client.run(job))
    assert [name for name, _ in server.posted] == ([] if refused else ["party-abort"])


def test_what_became_of_a_result_is_asked_of_the_server(server: Server) -> None:
    client = server.client()
    job = client.fetch(client.look())
    assert client.standing(job) is Standing.WAITING
    server.party["attempt"] = 5
    assert client.standing(job) is Standing.AGAIN
    server.refused.add("party")
    assert client.standing(job) is Standing.WAITING
    for state in (Standing.RELEASED, Standing.ABORTED):
        server.study["state"] = state.value
        assert client.standing(job) is state
