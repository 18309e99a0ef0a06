"""Genuine answers of the server's in the place of others: each belongs to one request, and the client knows which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from crypto import SigningKey
from secure_api.client import REPORT, ResponseRefused, Session
from tests.attacks.meddler import (
    CLIENTS,
    Answer,
    Change,
    beyond_handshakes,
    is_handshake,
    sealing_within,
    unchanged,
    within,
)
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.test_answers import ME, Auth, ask

JSON = {"content-type": "application/json"}


class Recorder:
    """Lets answers through and keeps them; then answers everything with one that it kept."""

    def __init__(self) -> None:
        self.kept: list[Answer] = []
        self.index: int | None = None

    def __call__(self, answer: Answer) -> Answer:
        """Change one answer."""
        if is_handshake(answer):
            return answer
        self.kept.append(answer)
        return answer if self.index is None else self.kept[self.index]


def exchange(scene: Scene, auth: Auth, change: Change, method: str, target: str, body: bytes = b"") -> httpx.Response:
    """Send one request through somebody between."""
    return ask(scene, auth, change, method=method, target=target, content=body, headers=JSON)


@pytest.fixture(params=CLIENTS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of client."""
    return str(request.param)


#: A first request, whose answer comes again in answer to the second.
PAIRS: dict[str, tuple[tuple[str, str, bytes], tuple[str, str, bytes]]] = {
    "the same read": (("GET", ME, b""), ("GET", ME, b"")),
    "the same write": (("POST", RECORDS, RECORD), ("POST", RECORDS, RECORD)),
    "another path": (("GET", "/v1/datasets", b""), ("GET", ME, b"")),
    "another query": (("GET", RECORDS + "?limit=1", b""), ("GET", RECORDS + "?limit=2", b"")),
    "another method": (("POST", RECORDS, RECORD), ("GET", RECORDS, b"")),
    "another body": (("POST", RECORDS, RECORD), ("POST", RECORDS, RECORD.replace(b"61", b"16"))),
    "a refusal": (("GET", "/v1/datasets/none/records", b""), ("GET", RECORDS, b"")),
    "a success": (("GET", RECORDS, b""), ("GET", "/v1/datasets/none/records", b"")),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_answer_to_an_earlier_request(scene: Scene, kind: str, name: str) -> None:
    first, second = PAIRS[name]
    auth, recorder = CLIENTS[kind](scene.victim), Recorder()
    exchange(scene, auth, recorder, *first)
    believed = exchange(scene, auth, recorder, *second)
    assert believed.extensions[REPORT].signed_by is not None
    recorder.index = 0
    with pytest.raises(ResponseRefused):
        exchange(scene, auth, recorder, *second)


@pytest.mark.parametrize("other", ["analyst", "rival", "hybrid"])
def test_the_answer_to_another_client(scene: Scene, kind: str, other: str) -> None:
    recorder = Recorder()
    theirs = exchange(scene, CLIENTS[kind](getattr(scene, other)), recorder, "GET", ME)
    assert theirs.status_code == 200
    recorder.index = 0
    with pytest.raises(ResponseRefused):
        exchange(scene, CLIENTS[kind](scene.victim), recorder, "GET", ME)


@pytest.mark.parametrize("make", [within, sealing_within])
def test_the_answer_of_another_session_of_the_same_client(scene: Scene, make: Callable[[Any], Session]) -> None:
    recorder = Recorder()
    exchange(scene, make(scene.victim), recorder, "GET", ME)
    recorder.index = 0
    with pytest.raises(ResponseRefused):
        exchange(scene, make(scene.victim), recorder, "GET", ME)


@pytest.mark.parametrize(("first", "second"), [("signing", "within a session"), ("within a session", "signing")])
def test_the_answer_to_the_same_request_outside_or_within(scene: Scene, first: str, second: str) -> None:
    recorder = Recorder()
    exchange(scene, CLIENTS[first](scene.victim), recorder, "GET", ME)
    recorder.index = 0
    with pytest.raises(ResponseRefused):
        exchange(scene, CLIENTS[second](scene.victim), recorder, "GET", ME)


@pytest.mark.parametrize(
    ("sealed", "clear"), [("sealing", "signing"), ("sealing within a session", "within a session")]
)
def test_a_clear_answer_for_a_sealed_one_and_the_other_way_round(scene: Scene, sealed: str, clear: str) -> None:
    for first, second in ((sealed, clear), (clear, sealed)):
        recorder = Recorder()
        exchange(scene, CLIENTS[first](scene.victim), recorder, "GET", ME)
        recorder.index = 0
        with pytest.raises(ResponseRefused):
            exchange(scene, CLIENTS[second](scene.victim), recorder, "GET", ME)


def test_two_answers_that_change_places(scene: Scene, kind: str) -> None:
    """Both requests are on their way at once; the answers come in the other order."""
    auth, recorder = CLIENTS[kind](scene.victim), Recorder()
    for target in ("/v1/datasets", RECORDS):
        exchange(scene, auth, recorder, "GET", target)
    for answer, other in (recorder.kept, reversed(recorder.kept)):
        with pytest.raises(ResponseRefused):
            exchange(scene, auth, beyond_handshakes(always(other)), "GET", answer.request.url.path)


def always(answer: Answer) -> Change:
    """Answer everything alike."""
    return lambda _: answer


#: The right answer with parts of another.
MIXES: dict[str, Callable[[Answer, Answer], Answer]] = {
    "body": lambda own, other: own.but(body=other.body),
    "body and digest": lambda own, other: own.but(body=other.body).having(
        "content-digest", other.field("content-digest")
    ),
    "signature": lambda own, other: own.having("signature", other.field("signature")),
    "all but the signature": lambda own, other: other.having("signature", own.field("signature")).having(
        "signature-input", own.field("signature-input")
    ),
}


@pytest.mark.parametrize("name", MIXES)
def test_the_parts_of_two_answers_mixed(scene: Scene, kind: str, name: str) -> None:
    auth, recorder = CLIENTS[kind](scene.victim), Recorder()
    exchange(scene, auth, recorder, "GET", "/v1/datasets")
    other = recorder.kept[0]
    with pytest.raises(ResponseRefused):
        exchange(scene, auth, beyond_handshakes(lambda own: MIXES[name](own, other)), "GET", ME)
    assert exchange(scene, auth, recorder, "GET", ME).status_code == 200


def test_a_sealed_answer_with_the_body_of_another_sealed_answer_signed_by_a_server_that_was_fooled(
    scene: Scene,
) -> None:
    """The seal alone binds the answer to its request, too: even a right signature over a moved body opens nothing."""
    auth = sealing_within(scene.victim)
    recorder = Recorder()
    exchange(scene, auth, recorder, "GET", ME)
    assert auth.current is not None
    key, other = auth.current.keys.server_mac, recorder.kept[0]

    for change in (lambda own: own.but(body=other.body), lambda own: own.but(status=202)):
        with pytest.raises(ResponseRefused, match="cannot be opened"):
            exchange(scene, auth, resigned(change, key), "GET", ME)
    assert exchange(scene, auth, resigned(unchanged, key), "GET", ME).status_code == 200


def resigned(change: Change, key: SigningKey) -> Change:
    """A change that is signed as the server signs."""
    return beyond_handshakes(lambda answer: change(answer).signed_by(key))


def test_the_request_is_carried_out_once_whatever_becomes_of_the_answer(scene: Scene, kind: str) -> None:
    """A forged 401 does not get a write done twice."""
    auth = CLIENTS[kind](scene.victim)
    exchange(scene, auth, lambda answer: answer, "GET", ME)
    count = scene.state().tables["records"].rows

    def refused(answer: Answer) -> Answer:
        return Answer(answer.request, 401, ((b"content-type", b"application/problem+json"),), b"{}")

    response = exchange(scene, auth, beyond_handshakes(refused), "POST", RECORDS, RECORD)
    assert response.status_code == 401
    assert response.extensions[REPORT].signed_by is None
    assert scene.state().tables["records"].rows == count + 1
