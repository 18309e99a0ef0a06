"""Answers that somebody changed, forged or swapped on their way to our client: it refuses every one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from crypto import MacKey, PrivateKey, SignatureAlgorithm
from secure_api.client import REPORT, ResponseRefused, Session, SignatureAuth
from tests.attacks.forgery import digest_of
from tests.attacks.meddler import CLIENTS, Answer, Change, Meddler, beyond_handshakes, unchanged
from tests.attacks.scene import Scene
from tests.attacks.stage import dataset_body

ME = "/v1/clients/me"
Auth = SignatureAuth | Session


@pytest.fixture(params=CLIENTS)
def auth(request: pytest.FixtureRequest, scene: Scene) -> Auth:
    """The victim's client, of each kind."""
    return CLIENTS[request.param](scene.victim)


@contextmanager
def meddled(scene: Scene, change: Change) -> Iterator[httpx.Client]:
    """An HTTP client with somebody between it and the server, who leaves handshakes alone."""
    with httpx.Client(
        transport=Meddler(beyond_handshakes(change)), base_url=f"http://{scene.server.authority}"
    ) as client:
        yield client


def ask(
    scene: Scene, auth: Auth, change: Change = unchanged, method: str = "GET", target: str = ME, **options: Any
) -> httpx.Response:
    """Ask the server through somebody who changes the answer."""
    with meddled(scene, change) as client:
        return client.request(method, target, auth=auth, **options)


def flipped(answer: Answer) -> Answer:
    """The answer with a letter of its signature changed."""
    value = answer.field("signature")
    return answer.having("signature", value[:9] + ("B" if value[9] != "B" else "C") + value[10:])


def re_digested(answer: Answer) -> Answer:
    """The answer with another body of the same length, and its digest."""
    body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])
    return answer.but(body=body).having("content-digest", digest_of(body))


OWN_KEY = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)

CHANGES: dict[str, Change] = {
    "another status": lambda answer: answer.but(status=201),
    "a refusal's status": lambda answer: answer.but(status=404),
    "a status that may be unsigned": lambda answer: answer.but(status=401),
    "a server error's status": lambda answer: answer.but(status=503),
    "a redirect's status": lambda answer: answer.but(status=302),
    "a bit of the body": lambda answer: answer.but(body=answer.body[:-1] + bytes([answer.body[-1] ^ 1])),
    "a bit of the body, and the digest": re_digested,
    "no body": lambda answer: answer.but(body=b""),
    "no body, and its digest": lambda answer: answer.but(body=b"").having("content-digest", digest_of(b"")),
    "half the body": lambda answer: answer.but(body=answer.body[: len(answer.body) // 2]),
    "a space behind the body": lambda answer: answer.but(body=answer.body + b" "),
    "another content type": lambda answer: answer.having("content-type", "text/html"),
    "a parameter of the content type": lambda answer: answer.having(
        "content-type", answer.field("content-type") + ";charset=utf-7"
    ),
    "two content types": lambda answer: answer.adding("content-type", "text/html"),
    "no content type": lambda answer: answer.without("content-type"),
    "no digest": lambda answer: answer.without("content-digest"),
    "two digests": lambda answer: answer.adding("content-digest", digest_of(answer.body)),
    "a digest by another algorithm": lambda answer: answer.having("content-digest", digest_of(answer.body, "sha-512")),
    "a digest that nobody knows": lambda answer: answer.having("content-digest", "crc=:AAAA:"),
    "no signature": lambda answer: answer.without("signature"),
    "no signature input": lambda answer: answer.without("signature-input"),
    "no signature at all": lambda answer: answer.without("signature", "signature-input"),
    "an empty signature": lambda answer: answer.having("signature", "sig1=::"),
    "a malformed signature": lambda answer: answer.having("signature", "sig1=:AAA:"),
    "a letter of the signature": flipped,
    "two signatures": lambda answer: answer.adding("signature", answer.field("signature")),
    "two inputs": lambda answer: answer.adding("signature-input", answer.field("signature-input")),
    "another label": lambda answer: answer.edited("signature", "sig1=", "sig2=").edited(
        "signature-input", "sig1=(", "sig2=("
    ),
    "another time": lambda answer: answer.edited("signature-input", ";created=1", ";created=2"),
    "no time": lambda answer: answer.edited("signature-input", ";created=", ";expires="),
    "another name of the key": lambda answer: answer.edited("signature-input", ';keyid="', ';keyid="x'),
    "another tag": lambda answer: answer.edited("signature-input", 'tag="secure-api"', 'tag="secure"'),
    "another algorithm": lambda answer: answer.edited("signature-input", ';alg="', ';alg="x-'),
    "a parameter more": lambda answer: answer.having("signature-input", answer.field("signature-input") + ";x"),
    "no status in what is covered": lambda answer: answer.edited("signature-input", '"@status" ', ""),
    "no request in what is covered": lambda answer: answer.edited("signature-input", '"@path";req ', ""),
    "nothing covered": lambda answer: answer.having(
        "signature-input", "sig1=()" + answer.field("signature-input").partition(")")[2]
    ),
    "a forged answer": lambda answer: forged(answer, 200),
    "a forged creation": lambda answer: forged(answer, 201),
    "a forged refusal": lambda answer: forged(answer, 403),
    "a forged word that there is no such thing": lambda answer: forged(answer, 404),
    "a forged word that nothing is there": lambda answer: forged(answer, 204),
    "the signature of somebody else": lambda answer: answer.signed_by(OWN_KEY),
    "the signature of somebody else under the server's name": lambda answer: renamed(answer, answer.signed_by(OWN_KEY)),
    "a MAC with a known key": lambda answer: renamed(answer, answer.signed_by(MacKey("x" * 32, bytes(32)))),
    "sealed in name": lambda answer: answer.having(
        "content-type", 'application/vnd.secure-api.sealed;alg=aes-256-gcm;kid=x;type="application/json"'
    ),
    "compressed in name": lambda answer: answer.having("content-encoding", "identity").but(body=answer.body + b"x"),
}


def forged(answer: Answer, status: int) -> Answer:
    """An answer that nobody signed."""
    body = b'{"id":"forged"}' if status != 204 else b""
    return Answer(answer.request, status, ((b"content-type", b"application/json"),), body)


def renamed(genuine: Answer, answer: Answer) -> Answer:
    """The answer with the name and algorithm that the genuine one has in the parameters of its signature."""
    parameters = genuine.field("signature-input").partition(";created=")[2]
    return answer.having(
        "signature-input", answer.field("signature-input").partition(";created=")[0] + ";created=" + parameters
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_answer_is_refused(scene: Scene, auth: Auth, name: str) -> None:
    with pytest.raises(ResponseRefused):
        ask(scene, auth, CHANGES[name])
    assert ask(scene, auth).json()["organization"] == "hospital"


def test_an_answer_that_nobody_changed_is_believed(scene: Scene, auth: Auth) -> None:
    response = ask(scene, auth)
    assert response.status_code == 200
    assert response.extensions[REPORT].signed_by is not None
    made = ask(scene, auth, method="POST", target="/v1/datasets", json=json.loads(dataset_body()))
    assert made.status_code == 201
    refused = ask(scene, auth, target="/v1/datasets/none/records")
    assert refused.status_code == 404
    assert refused.extensions[REPORT].signed_by is not None
    assert refused.json()["type"].endswith("not-found")
