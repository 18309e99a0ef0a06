"""Whatever comes back instead of an answer: our client believes the server's own, and fails in no way but its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto import CryptoError
from secure_api.client import REPORT, ClientError, ServerUnusable, Session
from secure_api.client.sealer import SealingTarget
from tests.attacks.meddler import CLIENTS, Answer, Change, Meddler, beyond_handshakes, signing, unchanged
from tests.attacks.scene import Scene
from tests.attacks.test_lying_servers import handshake
from tests.consortium import server_key

ME = "/v1/clients/me"
BOUNDED = settings(
    max_examples=75,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

#: What may be unsigned: it says that nothing was done.
UNSIGNED = {401, 408, 413, 421, 429, 431} | set(range(300, 400)) | set(range(500, 600))
FIELDS = ("signature", "signature-input", "content-digest", "content-type", "date", "cache-control", "x-request-id")

text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)
fields = st.sampled_from(FIELDS)


def reworded(field: str, position: float, letters: str) -> Change:
    """Some letters of a field replaced."""

    def change(answer: Answer) -> Answer:
        if not any(key.decode() == field for key, _ in answer.headers):
            return answer
        value = answer.field(field)
        start = int(position * len(value))
        return answer.having(field, value[:start] + letters + value[start + len(letters) :])

    return change


def cut(position: float, more: bytes) -> Change:
    """The body cut somewhere, and something else behind it."""
    return lambda answer: answer.but(body=answer.body[: int(position * len(answer.body))] + more)


def flipped(position: float, mask: int) -> Change:
    """Some bits of one byte of the body changed."""

    def change(answer: Answer) -> Answer:
        if not answer.body:
            return answer
        place = min(int(position * len(answer.body)), len(answer.body) - 1)
        return answer.but(body=answer.body[:place] + bytes([answer.body[place] ^ mask]) + answer.body[place + 1 :])

    return change


places = st.floats(0, 1)
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(lambda status: lambda answer: answer.but(status=status), st.integers(200, 599)),
    st.builds(lambda name: lambda answer: answer.without(name), fields),
    st.builds(lambda name, value: lambda answer: answer.having(name, value), fields, text),
    st.builds(lambda name, value: lambda answer: answer.adding(name, value), fields, text),
    st.builds(reworded, fields, places, text),
    st.builds(cut, places, st.binary(max_size=20)),
    st.builds(flipped, places, st.integers(1, 255)),
    st.builds(lambda body: lambda answer: answer.but(body=body), st.binary(max_size=2_000)),
)


def one_after_the_other(several: list[Change]) -> Change:
    """All of these changes."""

    def change(answer: Answer) -> Answer:
        for each in several:
            answer = each(answer)
        return answer

    return change


@pytest.fixture(params=CLIENTS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of client."""
    return str(request.param)


def test_nothing_but_the_genuine_answer_is_believed(scene: Scene, kind: str) -> None:
    auth, meddler = CLIENTS[kind](scene.victim), Meddler(unchanged)
    believed = 0
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:
        genuine = client.get(ME, auth=auth)

        @BOUNDED
        @given(st.lists(changes, min_size=1, max_size=3))
        def ask(several: list[Change]) -> None:
            nonlocal believed
            meddler.change = beyond_handshakes(one_after_the_other(several))
            try:
                response = client.get(ME, auth=auth)
            except (ClientError, CryptoError):
                return
            if response.extensions[REPORT].signed_by is None:
                assert response.status_code in UNSIGNED
                assert "signature" not in response.headers
                return
            believed += 1
            assert (response.status_code, response.content) == (200, genuine.content)
            assert response.headers["content-type"] == genuine.headers["content-type"]

        ask()
        assert believed, "changes of fields that are not signed do no harm"
        meddler.change = unchanged
        assert client.get(ME, auth=auth).content == genuine.content


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = ("id", "suite", "ciphertext", "created", "expires", "idle_timeout", "max_requests", "max_bytes")


def edited(members: dict[str, Any]) -> Change:
    """The server's answer to a handshake with some members of its JSON replaced, signed by the server."""
    return lambda answer: answer.but(body=json.dumps(json.loads(answer.body) | members).encode()).signed_by(
        server_key()
    )


def instead(body: bytes) -> Change:
    """Another answer to a handshake, signed by the server."""
    return lambda answer: answer.but(body=body).signed_by(server_key())


def whole(value: object) -> bool:
    """Tell whether a member could be a time or a limit."""
    return type(value) is int and 0 <= value < 2**53


@pytest.mark.parametrize(
    ("strategy", "make"),
    [
        pytest.param(
            st.dictionaries(st.sampled_from(MEMBERS), json_values, min_size=1, max_size=3), edited, id="members"
        ),
        pytest.param(
            st.binary(max_size=500) | st.builds(lambda v: json.dumps(v).encode(), json_values), instead, id="body"
        ),
    ],
)
def test_a_server_that_says_anything_in_a_handshake(
    scene: Scene, strategy: st.SearchStrategy[Any], make: Callable[[Any], Change]
) -> None:
    meddler = Meddler(unchanged)
    with httpx.Client(transport=meddler, base_url=f"http://{scene.server.authority}") as client:

        @settings(BOUNDED, max_examples=40)
        @given(strategy)
        def ask(said: Any) -> None:
            session = Session(signing(scene.victim))
            meddler.change = handshake(make(said))
            try:
                response = client.get(ME, auth=session)
            except (ClientError, CryptoError):
                assert session.current is None
                return
            # Limits that could be: the client took them, and has then no key in common with the server.
            assert response.status_code == 401
            assert all(whole(value) for value in said.values())

        ask()


@settings(BOUNDED, max_examples=300)
@given(
    st.dictionaries(st.sampled_from(["sealing", "keys"]), json_values)
    | st.builds(lambda v: {"sealing": {"keys": v}}, json_values)
)
def test_a_discovery_document_of_anything(document: dict[str, Any]) -> None:
    with pytest.raises(ServerUnusable):
        SealingTarget.choose(document, server_key().public_key, 0)


ENTRY = ("alg", "kid", "public_key", "created", "retires", "expires", "signature")
entries = st.dictionaries(st.sampled_from(ENTRY), json_values | st.builds(lambda v: {"value": v}, json_values))


@settings(BOUNDED, max_examples=300)
@given(st.lists(entries, max_size=20))
def test_sealing_keys_of_anything(published: list[dict[str, Any]]) -> None:
    with pytest.raises(ServerUnusable):
        SealingTarget.choose({"sealing": {"keys": published}}, server_key().public_key, 0)
