"""Multi-party studies over the API: boxes relayed, results compared, attempts aborted and made again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from sqlalchemy import text

from crypto import MpcAborted
from crypto.mpc import Deadlines, MpcResult, seal_contribution
from crypto.mpc.identity import PartyIdentity
from secure_api.client.mpc import PartyClient, StudyTerms
from secure_api.services.studies import mpc
from secure_api.services.studies.driver import StudyDriver
from secure_api.services.studies.mpc import COMPUTE_SECONDS
from secure_api.services.studies.registry import study_methods
from secure_api.settings import Settings
from tests.api.problem import places
from tests.api.running import started
from tests.consortium import Consortium, Peer
from tests.unit.crypto.mpc.local_study import quiet_port

pytestmark = pytest.mark.anyio

ORGANIZATIONS = ("north", "south", "west")
VALUES = ([1.5, -2.0], [0.25, 4.0], [3.0, 1.0])
OCTETS = "application/octet-stream"
RESULT = {"attempt": 0, "transcript": "ab" * 32, "contributors": 3, "values": [4.75, 3.0]}


class Scene:
    """A study with three parties and three contributors, each of another organization."""

    def __init__(self, consortium: Consortium, folder: Path) -> None:
        self.consortium = consortium
        self.identities = [PartyIdentity.create(folder / name, datetime.now(UTC)) for name in ORGANIZATIONS]
        # Bound but not listening: nobody else is given these ports until the parties take them.
        self.ports = [quiet_port() for _ in ORGANIZATIONS]
        self.peers: list[Peer] = []
        self.analyst: Peer
        self.id = ""

    def free_ports(self) -> None:
        for port in self.ports:
            port.close()

    def terms(self, **changes: Any) -> dict[str, Any]:
        parties = [
            identity.description(name, f"127.0.0.1:{port.getsockname()[1]}")
            for identity, name, port in zip(self.identities, ORGANIZATIONS, self.ports, strict=True)
        ]
        return {
            "name": "flu",
            "method": "mpc",
            "statistic": "sum",
            "dimension": 2,
            "bounds": {"low": -8.0, "high": 8.0},
            "contributors": list(ORGANIZATIONS),
            "minimum_contributors": 3,
            "deadline": (self.consortium.clock() + timedelta(days=1)).isoformat().replace("+00:00", "Z"),
            "parameters": {"parties": parties},
        } | changes

    async def enroll(self) -> None:
        self.peers = [await self.consortium.member(name) for name in ORGANIZATIONS]
        self.analyst = await self.consortium.member("analysts", "analyst")

    async def create(self, **changes: Any) -> StudyTerms:
        created = await self.analyst.ok("POST", "/v1/studies", self.terms(**changes))
        self.id = created["id"]
        return StudyTerms.parse(created)

    async def look(self) -> StudyTerms:
        return StudyTerms.parse(await self.analyst.ok("GET", self.path()))

    def path(self, rest: str = "") -> str:
        return f"/v1/studies/{self.id}{rest}"

    async def contribute(self, study: StudyTerms) -> None:
        for peer, values in zip(self.peers, VALUES, strict=True):
            keyid, keys = peer.keys[0].keyid, study.parameters.sealing_keys
            content = seal_contribution(study.terms, numpy.array(values), keyid, keys, secrets.token_bytes)
            await peer.ok("PUT", self.path("/contribution"), content, content_type=OCTETS)

    async def carry_on(self) -> str:
        server = self.consortium.app.state.server
        await StudyDriver(server.database, study_methods(server.clock), self.consortium.clock).step()
        state: str = (await self.analyst.ok("GET", self.path()))["state"]
        return state

    async def until(self, state: str) -> None:
        """Carry on until it is so; the server's own driver may be in the middle of the same."""
        while await self.carry_on() != state:  # noqa: ASYNC110 - the state is in the database
            await asyncio.sleep(0.02)

    async def computing(self, **changes: Any) -> StudyTerms:
        """Have it contributed to, closed and computing."""
        await self.enroll()
        study = await self.create(**changes)
        await self.contribute(study)
        await self.analyst.ok("POST", self.path("/close"))
        await self.until("computing")
        while (await self.peers[0].request("GET", self.path("/party"))).status_code == 409:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return study

    async def party(self, index: int, connect: float = 60.0) -> MpcResult:
        """Run a party as `secure-api mpc party` does, in a thread with an event loop of its own."""
        loop = asyncio.get_running_loop()

        def send(method: str, path: str, body: Mapping[str, object] | None) -> bytes:
            request = self.peers[index].request(method, path, body)
            response = asyncio.run_coroutine_threadsafe(request, loop).result()
            assert response.is_success, (response.status_code, response.text)
            return response.content

        def run() -> MpcResult:
            client = PartyClient(self.id, self.identities[index], send, Deadlines(connect, 60.0, 120.0))
            job = client.fetch(client.look())
            return asyncio.run(client.run(job))

        return await asyncio.to_thread(run)


@pytest.fixture
async def scene(consortium: Consortium, tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(consortium, tmp_path)
    yield made
    made.free_ports()


async def test_three_parties_compute_what_is_released_when_all_have_posted_it(scene: Scene) -> None:
    await scene.computing()
    scene.free_ports()
    results = await asyncio.gather(*map(scene.party, range(3)))
    await scene.until("released")
    for reader in (scene.analyst, *scene.peers):
        found = await reader.ok("GET", scene.path("/result"))
        assert found == {
            "statistic": "sum",
            "values": [4.75, 3.0],
            "contributors": 3,
            "parties": 3,
            "transcript": results[0].transcript.hex(),
            "attempt": 0,
        }
    gone = await scene.peers[0].request("GET", scene.path("/party"))
    assert gone.status_code == 409


async def test_a_party_that_did_not_come_is_in_the_next_attempt(scene: Scene) -> None:
    await scene.computing()
    scene.free_ports()
    both = await asyncio.gather(scene.party(0, 5.0), scene.party(1, 5.0), return_exceptions=True)
    assert [(end.reason, end.party) for end in both if isinstance(end, MpcAborted)] == [("unreachable", 2)] * 2
    assert await scene.carry_on() == "computing"
    await asyncio.gather(*map(scene.party, range(3)))
    await scene.until("released")
    result = await scene.analyst.ok("GET", scene.path("/result"))
    assert (result["attempt"], result["values"]) == (1, [4.75, 3.0])


async def test_what_one_party_says_is_not_released(scene: Scene) -> None:
    await scene.computing()
    for peer in scene.peers[:2]:
        await peer.ok("PUT", scene.path("/party-result"), RESULT)
        await peer.ok("PUT", scene.path("/party-result"), RESULT)  # again, as after a lost answer
        assert await scene.carry_on() == "computing"
    for reader in (scene.analyst, scene.peers[2]):
        study = await reader.ok("GET", scene.path())
        assert study["progress"] == "attempt 0: 2 of 3 parties have posted a result"
    other = await scene.peers[0].request("PUT", scene.path("/party-result"), RESULT | {"values": [9.0, 9.0]})
    assert other.status_code == 409
    assert (await scene.analyst.request("GET", scene.path("/result"))).status_code == 409


async def test_a_restart_of_the_server_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    async with started(settings) as before:
        scene = Scene(before, tmp_path)
        study = await scene.computing()
        scene.free_ports()
        await scene.peers[0].ok("PUT", scene.path("/party-result"), RESULT)
        first = (await scene.peers[1].request("GET", scene.path("/shares?attempt=0"))).content
    async with started(settings) as after:
        scene.consortium = after
        for peer in (scene.analyst, *scene.peers):
            peer.http, peer.clock = after.http, after.clock
        after.clock.advance(121)  # a lease that the server held when it ended is over then
        assert StudyTerms.parse(await scene.analyst.ok("GET", scene.path())).terms.digest == study.terms.digest
        assert (await scene.peers[1].request("GET", scene.path("/shares?attempt=0"))).content == first
        for peer in scene.peers[1:]:
            await peer.ok("PUT", scene.path("/party-result"), RESULT)
        await scene.until("released")


async def test_a_result_that_differs_begins_the_next_attempt(scene: Scene) -> None:
    await scene.computing()
    await scene.peers[0].ok("PUT", scene.path("/party-result"), RESULT)
    await scene.peers[1].ok("PUT", scene.path("/party-result"), RESULT | {"values": [9.0, 9.0]})
    assert await scene.carry_on() == "computing"
    assert (await scene.peers[2].ok("GET", scene.path("/party")))["attempt"] == 1
    late = await scene.peers[2].request("PUT", scene.path("/party-result"), RESULT)
    assert late.status_code == 409
    for peer in scene.peers:
        await peer.ok("PUT", scene.path("/party-result"), RESULT | {"attempt": 1})
    await scene.until("released")


async def test_an_abort_is_in_the_ledger_and_the_study_is_computed_again(scene: Scene) -> None:
    await scene.computing()
    abort = {"attempt": 0, "reason": "party-lost", "party": 2, "detail": "the connection broke"}
    for peer in scene.peers[:2]:
        await peer.ok("POST", scene.path("/party-abort"), abort)
    assert (await scene.peers[0].ok("GET", scene.path("/party")))["attempt"] == 1
    ledger = (await scene.consortium.admin.ok("GET", "/v1/ledger"))["entries"]
    told = [entry["payload"] for entry in ledger if entry["kind"] == "study.party-abort"]
    assert [(one["reason"], one["about"], one["party"]) for one in told] == [("party-lost", 2, 0), ("party-lost", 2, 1)]


async def test_boxes_are_for_their_party_in_the_order_that_the_session_names(scene: Scene) -> None:
    await scene.computing()
    answers = [await peer.ok("GET", scene.path("/party")) for peer in scene.peers]
    assert [answer["index"] for answer in answers] == [0, 1, 2]
    assert answers[0]["contributors"] == answers[1]["contributors"] == answers[2]["contributors"]
    names = [one["contributor"] for one in answers[0]["contributors"]]
    assert names == sorted(peer.keys[0].keyid for peer in scene.peers)
    first = await scene.peers[0].request("GET", scene.path("/shares?attempt=0&start=0"))
    second = await scene.peers[1].request("GET", scene.path("/shares?attempt=0&start=0"))
    assert len(first.content) == len(second.content) == 3 * (1136 + 16)
    assert first.content != second.content
    rest = await scene.peers[0].request("GET", scene.path("/shares?attempt=0&start=2"))
    assert rest.content == first.content[2 * (1136 + 16) :]
    for wrong, status in (("attempt=1&start=0", 409), ("attempt=0&start=3", 422), ("attempt=0&start=-1", 422)):
        assert (await scene.peers[0].request("GET", scene.path(f"/shares?{wrong}"))).status_code == status


async def test_only_parties_are_served(scene: Scene) -> None:
    await scene.computing()
    outsider = await scene.consortium.member("east")
    auditor = await scene.consortium.member("north", "auditor")
    for rest in ("/party", "/shares?attempt=0&start=0"):
        assert (await outsider.request("GET", scene.path(rest))).status_code == 404
        assert (await scene.analyst.request("GET", scene.path(rest))).status_code == 403
        assert (await auditor.request("GET", scene.path(rest))).status_code == 403
    assert (await scene.analyst.request("PUT", scene.path("/party-result"), RESULT)).status_code == 403


async def test_nothing_is_computed_before_a_study_is_closed(scene: Scene) -> None:
    await scene.enroll()
    await scene.create()
    assert (await scene.peers[0].request("GET", scene.path("/party"))).status_code == 409
    assert (await scene.peers[0].request("PUT", scene.path("/party-result"), RESULT)).status_code == 409


async def test_terms_that_cannot_be_computed_are_refused_at_creation(scene: Scene) -> None:
    await scene.enroll()
    parameters = scene.terms()["parameters"]
    refusals: list[dict[str, Any]] = [
        {"statistic": "quantile", "parameters": parameters | {"arguments": {"q": 2}}},
        {"parameters": {}},
        {"parameters": parameters | {"maximum_contributors": 2}},
        {"parameters": parameters | {"maximum_contributors": 1 << 20}},
        {"bounds": {"low": -1e12, "high": 1e12}},
        {"privacy": {"epsilon": 1.0, "delta": 1.0}},
        {
            "parameters": {
                "parties": [parameters["parties"][0] | {"organization": "nobody"}, *parameters["parties"][1:]]
            }
        },
    ]
    for changes in refusals:
        refused = await scene.analyst.request("POST", "/v1/studies", scene.terms(**changes))
        assert refused.status_code == 422, changes


async def test_a_contribution_of_another_shape_or_key_is_refused(scene: Scene) -> None:
    await scene.enroll()
    study = await scene.create()
    keys = study.parameters.sealing_keys
    foreign = seal_contribution(study.terms, numpy.array([1.0, 1.0]), "keyid", keys, secrets.token_bytes)
    for content in (foreign, foreign[:-1], b"", secrets.token_bytes(100)):
        refused = await scene.peers[0].request("PUT", scene.path("/contribution"), content, content_type=OCTETS)
        assert refused.status_code == 422
    assert (await scene.analyst.ok("GET", scene.path()))["contributions"] == 0


async def test_a_study_that_its_parties_do_not_compute_is_given_up(scene: Scene) -> None:
    await scene.computing()
    abort = {"attempt": 0, "reason": "party-lost", "party": 2, "detail": "the connection broke"}
    await scene.peers[0].ok("POST", scene.path("/party-abort"), abort)
    scene.consortium.clock.advance(COMPUTE_SECONDS - 60)
    assert await scene.carry_on() == "computing"
    scene.consortium.clock.advance(120)
    await scene.until("aborted")
    reason = (await scene.analyst.ok("GET", scene.path()))["reason"]
    assert reason == "the compute parties came to no result in 604800 seconds; the last attempt ended with party-lost"
    assert (await scene.peers[0].request("GET", scene.path("/party"))).status_code == 409


@pytest.mark.parametrize(("dimension", "status"), [(40_000, 201), (45_000, 422)])
async def test_a_study_whose_contributions_are_too_long_for_a_body_is_refused(
    scene: Scene, dimension: int, status: int
) -> None:
    await scene.enroll()
    response = await scene.analyst.request("POST", "/v1/studies", scene.terms(dimension=dimension))
    assert response.status_code == status, response.text
    if status == 422:
        assert "SECURE_API_MAX_BODY_BYTES" in response.text
        assert places(response) == ["/dimension"]
        return
    scene.id = response.json()["id"]
    study = StudyTerms.parse(response.json())
    content = seal_contribution(
        study.terms,
        numpy.zeros(dimension),
        scene.peers[0].keys[0].keyid,
        study.parameters.sealing_keys,
        secrets.token_bytes,
    )
    sent = await scene.peers[0].request("PUT", scene.path("/contribution"), content, content_type=OCTETS)
    assert sent.status_code == 201
    result = {
        "attempt": 0,
        "transcript": "ab" * 32,
        "contributors": 3,
        "values": [-1.2345678901234567e-300] * dimension,
    }
    late = await scene.peers[0].request("PUT", scene.path("/party-result"), result)
    assert late.status_code == 409, "it is long, but not too long"


async def test_a_contribution_that_is_damaged_ends_the_study(settings: Settings, tmp_path: Path) -> None:
    async with started(settings.model_copy(update={"study_interval": 3_600.0})) as consortium:
        scene = Scene(consortium, tmp_path)
        await scene.enroll()
        await scene.contribute(await scene.create())
        async with consortium.app.state.server.database.write() as session:
            await session.execute(text("UPDATE study_contributions SET content = :content"), {"content": b"x"})
        await scene.analyst.ok("POST", scene.path("/close"))
        await scene.until("aborted")
        assert (await scene.analyst.ok("GET", scene.path()))["reason"] == "a stored contribution is damaged"
        scene.free_ports()


async def test_of_a_study_that_is_aborted_while_it_is_prepared_nothing_stays(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(settings.model_copy(update={"study_interval": 3_600.0})) as consortium:
        scene = Scene(consortium, tmp_path)
        await scene.enroll()
        await scene.contribute(await scene.create())
        await scene.analyst.ok("POST", scene.path("/close"))
        aborted = False

        async def meanwhile(work: Any, *arguments: Any) -> Any:
            nonlocal aborted
            if not aborted:
                aborted = True
                await scene.analyst.ok("POST", scene.path("/abort"), {"reason": "enough"})
            return work(*arguments)

        monkeypatch.setattr(mpc, "asyncio", SimpleNamespace(to_thread=meanwhile))
        await scene.until("aborted")
        async with consortium.app.state.server.database.read() as session:
            assert await session.scalar(text("SELECT count(*) FROM study_states")) == 0
        scene.free_ports()
