"""A server of masked studies that lies: a true one, and before it somebody who answers in its place when it pays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from crypto.masking.messages import Confirmation, Confirmations
from crypto.masking.parameters import MaskedStudy
from secure_api.client import SignatureAuth
from secure_api.client.studies import StudyClient
from tests.durability.study_members import HIGH, HOSPITALS, LOW, QUICK, Crowd, Member, Part, new_study
from tests.services.fixtures.secure_api_server import SecureApiServer

DIMENSION = 3
LOOK = 0.05


@dataclass
class Liar:
    """What stands between: every message of every client goes by it, and it gives what `lies` makes of the answers.

    `lies` is told who asks (from 0), method, last part of the path, and how to ask the true server; None: as that says.
    """

    lies: Callable[[Liar, int, str, str, Callable[[], bytes]], bytes | None]
    sent: dict[tuple[int, str], bytes] = field(default_factory=dict)
    other: str = ""  # another study's identifier
    masked: MaskedStudy | None = None

    def stages_of(self, number: int) -> set[str]:
        """The stages in which a client sent a message."""
        return {stage for who, stage in self.sent if who == number}

    @property
    def study(self) -> MaskedStudy:
        """The study that is lied about."""
        assert self.masked is not None
        return self.masked

    def confirmations(self, *numbers: int) -> bytes:
        """What these clients confirmed, put together."""
        terms = self.study.terms
        heard = [Confirmation.decode(self.sent[number, "confirmation"], terms) for number in numbers]
        return Confirmations(tuple(heard)).encode(terms)

    def all_sent(self, stage: str, count: int = 4) -> bool:
        """Whether so many have sent their message of a stage."""
        return sum(what == stage for _, what in self.sent) >= count


class _Between(httpx.BaseTransport):
    def __init__(self, liar: Liar, number: int) -> None:
        self._inner = httpx.HTTPTransport()
        self._liar = liar
        self._number = number

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        if request.method == "PUT":
            self._liar.sent[self._number, name] = request.read()
        kept: list[httpx.Response] = []

        def truth() -> bytes:
            answer = self._inner.handle_request(request)
            answer.read()
            kept.append(answer)
            return answer.content

        lie = self._liar.lies(self._liar, self._number, request.method, name, truth)
        if lie is not None:
            return httpx.Response(200, content=lie)
        if not kept:
            truth()
        return kept[0]

    def close(self) -> None:
        self._inner.close()


def standing(stage: str) -> bytes:
    """Say that a study waits for messages of a stage."""
    return json.dumps({"state": "computing", "stage": stage}).encode()


@dataclass
class Deceived:
    """An analyst and four hospitals, enrolled with a true server."""

    server: SecureApiServer
    analyst: Member
    members: list[Member]

    @classmethod
    def enroll(cls, server: SecureApiServer, crowd: Crowd) -> Deceived:
        """Enroll them."""
        analyst = crowd.enroll(server, "institute", "analyst")
        return cls(server, analyst, [crowd.enroll(server, name) for name in HOSPITALS])


def lie_to_four(deceived: Deceived, liar: Liar) -> list[BaseException]:
    """Let four hospitals take part in a study of a server that lies; returns with what each of them ended."""
    server, analyst, members = deceived.server, deceived.analyst, deceived.members
    parameters = {"roster": [member.keyid for member in members], "stage_seconds": 3_600}
    created, other = (
        analyst.studies.create(new_study("masked", DIMENSION, members, parameters=parameters)) for _ in range(2)
    )
    liar.masked = MaskedStudy.parse(created["id"], DIMENSION, LOW, HIGH, 3, created["parameters"])
    liar.other = other["id"]

    def take_part(member: Member, number: int) -> Any:
        http = httpx.Client(
            transport=_Between(liar, number),
            base_url=f"http://{server.authority}",
            auth=SignatureAuth(member.key),
            timeout=60,
        )
        with http:
            studies = StudyClient.over(http, QUICK)
            found = studies.get(created["id"])
            return studies.take_part(found, [1.0 * number] * DIMENSION, member.key, look_seconds=LOOK)

    parts = [
        Part(lambda member=member, number=number: take_part(member, number))  # type: ignore[misc]
        for number, member in enumerate(members)
    ]
    while analyst.studies.get(created["id"])["contributions"] < 4 and any(part.is_alive() for part in parts):
        parts[0].join(LOOK)
    analyst.studies.close(created["id"])
    caught: list[BaseException] = []
    while not any(part.failed for part in parts):
        parts[0].join(LOOK)
    for part in parts:
        part.join(2 * LOOK)  # those who are lied to alike end alike; whoever is not waits for the others
    try:
        analyst.send("POST", f"/v1/studies/{created['id']}/abort", b'{"reason": "somebody was lied to"}')
    except httpx.HTTPStatusError:  # too few took part: it was aborted by itself
        assert analyst.studies.get(created["id"])["state"] == "aborted"
    for part in parts:
        try:
            part.outcome()
        except Exception as error:
            caught.append(error)
    assert len(caught) == 4, "nobody got a result"
    return caught
