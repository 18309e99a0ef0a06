"""Masked studies over the API: dropouts at each stage, thresholds, forgeries, another server in the middle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from crypto import MaskingClient, PublicKey, SignatureAlgorithm
from crypto.base64url import decode_base64url
from crypto.masking.parameters import MaskedStudy
from crypto.privacy import PrivacyTerms
from secure_api.domain.studies import StudyMethod
from secure_api.services.studies.driver import StudyDriver
from secure_api.services.studies.masked import MaskedStudies
from secure_api.settings import Settings
from tests.api.problem import places, problem
from tests.api.running import started
from tests.api.state import rows
from tests.api.studies import HIGH, LOW, OCTETS, new_study
from tests.consortium import Consortium, Peer

pytestmark = pytest.mark.anyio

VALUES = [[1.0, 20.0, 3.5, 200.0], [2.0, 0.0, 3.5, 100.0], [6.0, 40.0, 3.5, 0.0], [9.0, 30.0, 3.5, 8.0]]
MINUTE = 60


@dataclass
class Sum:
    """Four hospitals with a masked study, of which three are needed; the server's driver moves when told to."""

    consortium: Consortium
    analyst: Peer
    peers: list[Peer]
    study: str = ""
    clients: list[MaskingClient] = field(default_factory=list)
    masked: MaskedStudy | None = None

    @classmethod
    async def begin(cls, consortium: Consortium, **members: Any) -> Sum:
        """Create the study, and let everybody join."""
        peers = [await consortium.member(name, "contributor") for name in ("north", "south", "west", "east")]
        self = cls(consortium, await consortium.member("institute", "analyst"), peers)
        response = await self.analyst.request("POST", "/v1/studies", self.terms(**members))
        assert response.status_code == 201, response.text
        created = response.json()
        self.study = created["id"]
        self.masked = MaskedStudy.parse(
            self.study, 4, LOW, HIGH, 3, created["parameters"], PrivacyTerms.parse(created["privacy"], 3)
        )
        roster_told = await peers[0].ok("GET", f"/v1/studies/{self.study}/roster")
        keys = [
            PublicKey(SignatureAlgorithm(key["algorithm"]), decode_base64url(key["public_key"]))
            for key in roster_told["keys"]
        ]
        roster = self.masked.roster_of(keys)
        self.clients = [MaskingClient.join(self.masked.terms, roster, number) for number in range(1, 5)]
        return self

    def terms(self, **members: Any) -> dict[str, Any]:
        """What creates the study."""
        roster = [peer.keys[0].public_key.keyid for peer in self.peers]
        study = {
            "method": "masked",
            "contributors": ["north", "south", "west", "east"],
            "parameters": {"roster": roster, "stage_seconds": MINUTE},
        }
        return new_study(self.consortium, **(study | members))

    async def put(self, number: int, stage: str, message: bytes) -> int:
        """Send a message; returns the status."""
        path = f"/v1/studies/{self.study}/masking/{stage}"
        return (await self.peers[number].request("PUT", path, message, content_type=OCTETS)).status_code

    async def told(self, number: int, name: str) -> bytes:
        """Read what the server tells one of them."""
        response = await self.peers[number].request("GET", f"/v1/studies/{self.study}/masking/told/{name}")
        assert response.status_code == 200, response.text
        return response.content

    async def step(self, *, later: bool = False) -> str:
        """Let the server go on, `later`: when the time of the stage is over; returns the study's state."""
        if later:
            self.consortium.clock.advance(MINUTE + 1)
        server = self.consortium.app.state.server
        # A server of its own each time: nothing is kept between two steps.
        methods = {StudyMethod.MASKED: MaskedStudies(server.clock)}
        await StudyDriver(server.database, methods, server.clock).step()
        return str((await self.analyst.ok("GET", f"/v1/studies/{self.study}"))["state"])

    async def progress(self) -> object:
        """What the server says of how far it is."""
        return (await self.analyst.ok("GET", f"/v1/studies/{self.study}"))["progress"]

    async def go(self, present: dict[str, list[int]]) -> str:
        """Go through all stages, in each with those who are there; returns the state in the end."""
        for number in present["advertisement"]:
            assert await self.put(number, "advertisement", self.clients[number].advertise(self.key(number))) == 204
        await self.analyst.ok("POST", f"/v1/studies/{self.study}/close")
        if (state := await self.step()) != "computing":
            return state
        for number in present["sharing"]:
            shared = self.clients[number].share(await self.told(number, "participants"), self.key(number))
            assert await self.put(number, "sharing", shared) == 204
        assert await self.progress() == f"{len(present['sharing'])} clients have sent their sharing"
        if (state := await self.step(later=True)) != "computing":
            return state
        for number in present["contribution"]:
            self.clients[number].receive(await self.told(number, "delivery"))
            values = self.encoded(number)
            assert await self.put(number, "contribution", self.clients[number].contribute(values)) == 204
        if (state := await self.step(later=True)) != "computing":
            return state
        for number in present["confirmation"]:
            confirmed = self.clients[number].confirm(await self.told(number, "survivors"), self.key(number))
            assert await self.put(number, "confirmation", confirmed) == 204
        if (state := await self.step(later=True)) != "computing":
            return state
        for number in present["reveal"]:
            assert (
                await self.put(number, "reveal", self.clients[number].reveal(await self.told(number, "confirmations")))
                == 204
            )
        return await self.step(later=True)

    def key(self, number: int) -> Any:
        """The key that one of them signs with."""
        return self.peers[number].keys[0]

    def encoded(self, number: int) -> Any:
        """What one of them contributes."""
        assert self.masked is not None
        return self.masked.encode(VALUES[number])


@pytest.fixture
async def quiet(settings: Settings) -> Any:
    """A server that leaves studies alone."""
    async with started(settings.model_copy(update={"study_interval": 3_600.0})) as consortium:
        yield consortium


STAGES = ["advertisement", "sharing", "contribution", "confirmation", "reveal"]
ALL = [0, 1, 2, 3]


def present(stage: str, rest: list[int]) -> dict[str, list[int]]:
    """Everybody until `stage`, from there on only the rest."""
    return {name: rest if STAGES.index(name) >= STAGES.index(stage) else ALL for name in STAGES}


@pytest.mark.parametrize("stage", [*STAGES, "none"])
async def test_one_may_drop_out_at_any_stage(quiet: Consortium, stage: str) -> None:
    sum_ = await Sum.begin(quiet)
    rest = [0, 1, 3]
    assert await sum_.go(present(stage, rest) if stage != "none" else dict.fromkeys(STAGES, ALL)) == "released"
    inside = rest if stage in ("advertisement", "sharing", "contribution") else ALL
    for peer in (sum_.analyst, sum_.peers[1]):
        result = await peer.ok("GET", f"/v1/studies/{sum_.study}/result")
        assert result["values"] == pytest.approx(np.mean([VALUES[number] for number in inside], axis=0), abs=1e-6)
        assert (result["contributors"], result["statistic"]) == (len(inside), "mean")
        assert result["error_bound"] < 1e-6
    found = await sum_.analyst.ok("GET", f"/v1/studies/{sum_.study}")
    assert (found["contributions"], found["organizations"]) == (len(inside), len(inside))


@pytest.mark.parametrize("stage", STAGES)
async def test_two_of_four_are_too_few_at_any_stage(quiet: Consortium, stage: str) -> None:
    sum_ = await Sum.begin(quiet)
    assert await sum_.go(present(stage, [1, 2])) == "aborted"
    reason = (await sum_.analyst.ok("GET", f"/v1/studies/{sum_.study}"))["reason"]
    expected = "fewer took part" if stage == "advertisement" else f"2 sent their {stage}: 3 are needed"
    assert expected in reason
    problem(await sum_.analyst.request("GET", f"/v1/studies/{sum_.study}/result"), 409, "conflict")


async def test_messages_out_of_turn_of_others_or_malformed_change_nothing(quiet: Consortium) -> None:
    sum_ = await Sum.begin(quiet)
    stranger = await quiet.member("north", "contributor")
    elsewhere = await quiet.member("elsewhere", "contributor")
    genuine = [sum_.clients[number].advertise(sum_.key(number)) for number in ALL]
    assert await sum_.put(0, "advertisement", genuine[0]) == 204
    before = await rows(quiet.app)
    assert await sum_.put(0, "advertisement", genuine[0]) == 204, "the same bytes again"
    assert await sum_.put(0, "advertisement", genuine[1]) == 409
    assert await sum_.put(1, "advertisement", genuine[2]) == 422, "another contributor's"
    for content in (b"", b"\0" * 38, genuine[1][:-1], genuine[1] + b"\0", bytes(len(genuine[1]))):
        assert await sum_.put(1, "advertisement", content) == 422
    random = np.random.default_rng(3)
    for _ in range(40):
        mutated = bytearray(genuine[1])
        mutated[int(random.integers(len(mutated)))] ^= 1 << int(random.integers(8))
        assert await sum_.put(1, "advertisement", bytes(mutated)) == 422
    for stage in STAGES[1:]:
        assert await sum_.put(1, stage, genuine[1]) == 409
    assert await sum_.put(1, "nonsense", genuine[1]) == 422
    assert await sum_.put(1, "advertisement", bytes(100_000)) == 413
    path = f"/v1/studies/{sum_.study}/masking/advertisement"
    problem(await stranger.request("PUT", path, genuine[1], content_type=OCTETS), 403, "forbidden")
    problem(await elsewhere.request("PUT", path, genuine[1], content_type=OCTETS), 404, "not-found")
    problem(await elsewhere.request("GET", f"/v1/studies/{sum_.study}/masking"), 404, "not-found")
    for name in ("participants", "delivery", "survivors", "confirmations"):
        problem(await sum_.peers[1].request("GET", f"/v1/studies/{sum_.study}/masking/told/{name}"), 409, "conflict")
    path = f"/v1/studies/{sum_.study}/contribution"
    problem(await sum_.peers[1].request("PUT", path, b"x", content_type=OCTETS), 409, "conflict")
    assert await rows(quiet.app) == before


@pytest.mark.parametrize("end", ["released", "aborted"])
async def test_of_a_study_that_is_over_nothing_is_told_and_nothing_taken(quiet: Consortium, end: str) -> None:
    sum_ = await Sum.begin(quiet)
    here = {stage: list(ALL) for stage in STAGES}
    assert await sum_.go(here if end == "released" else here | {"reveal": [0]}) == end
    for name in ("participants", "delivery", "survivors", "confirmations"):
        response = await sum_.peers[1].request("GET", f"/v1/studies/{sum_.study}/masking/told/{name}")
        problem(response, 409, "conflict")
        assert f"The study is {end}" in response.text
    for stage in STAGES:
        assert await sum_.put(1, stage, b"another message") == 409


async def test_rosters_that_make_no_sense_are_refused(quiet: Consortium) -> None:
    sum_ = await Sum.begin(quiet)
    roster = sum_.terms()["parameters"]["roster"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"parameters": {}}, "/parameters"),
        ({"parameters": {"roster": roster[:1]}}, "/parameters"),
        ({"parameters": {"roster": [*roster, roster[0]]}}, "/parameters"),
        ({"parameters": {"roster": [*roster[:3], "A" * 43]}}, "/parameters/roster"),
        ({"parameters": {"roster": [*roster[:3], 1]}}, "/parameters"),
        ({"parameters": {"roster": roster, "threshold": 2}}, "/parameters"),
        ({"contributors": ["north", "south", "west"]}, "/parameters/roster"),  # east's key is on the roster
        ({"minimum_contributors": 5}, "/parameters"),
        ({"parameters": {"roster": roster, "threshold": 5}}, "/parameters"),
        ({"parameters": {"roster": roster, "colluding": 3}}, "/parameters"),
        ({"parameters": {"roster": roster, "stage_seconds": 0}}, "/parameters"),
        ({"parameters": {"roster": roster, "more": 0}}, "/parameters"),
        ({"statistic": "variance"}, "/statistic"),
        ({"dimension": 300_000}, "/dimension"),
        ({"privacy": {"epsilon": 1, "delta": 1}}, "/privacy"),
    ]
    before = await rows(quiet.app)
    for members, place in cases:
        response = await sum_.analyst.request("POST", "/v1/studies", sum_.terms(**members))
        assert response.status_code == 422, (members, response.text)
        assert places(response) == [place], members
    assert await rows(quiet.app) == before


async def test_a_roster_whose_boxes_are_too_long_for_a_body_is_refused(settings: Settings) -> None:
    small = settings.model_copy(update={"study_interval": 3_600.0, "max_body_bytes": 19_000})
    async with started(small) as consortium:
        peers = [await consortium.member(name) for name in ("north", "south", "west", "east")]
        analyst = await consortium.member("institute", "analyst")
        sum_ = Sum(consortium, analyst, peers)
        refused = await analyst.request("POST", "/v1/studies", sum_.terms())
        assert refused.status_code == 422
        assert places(refused) == ["/parameters/roster"]
        sum_.peers = peers[:3]
        assert (await analyst.request("POST", "/v1/studies", sum_.terms())).status_code == 201
