"""A running server and the second client, which was written from docs/protocol.md alone: each believes the other."""

from __future__ import annotations

import ast
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature

from crypto import PrivateKey, SignatureAlgorithm
from tests.consortium import ADMIN_SEED, OPERATOR, SERVER_SEED, make_home
from tests.installations import sqlite_template
from tests.interop import second_client
from tests.interop.second_client import Client, KemKey, Key, Session, b64u
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import SecureApiServer, start_secure_api

__all__ = ["sqlite_template"]

SUITES = ["x-wing", "ml-kem-768", "ml-kem-1024"]
SERVER_JWK = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, SERVER_SEED).public_key.jwk()


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run_session_process: ProcessRunner
) -> SecureApiServer:
    """A running server."""
    template: Path = request.getfixturevalue("sqlite_template")
    home = make_home(tmp_path_factory.mktemp("second") / "home", template)
    return start_secure_api(run_session_process, home, f"sqlite+aiosqlite:///{home / 'secure-api.db'}")


@pytest.fixture(scope="module", params=["ml-dsa-65", "ed25519", "ml-dsa-65+ed25519"])
def client(request: pytest.FixtureRequest, server: SecureApiServer) -> Client:
    """A client that enrolled itself by its signatures; the first admin is played by the second client, too."""
    admin = Client(f"http://{server.authority}", [Key("ml-dsa-65", ADMIN_SEED)], SERVER_JWK)
    asked = json.dumps({"organization": OPERATOR, "role": "contributor"}).encode()
    status, body, _ = admin.call("POST", "/v1/tokens", asked)
    assert status == 201, body
    client = Client(admin.url, [Key(alg, os.urandom(32)) for alg in request.param.split("+")], SERVER_JWK)
    enrollment = {"token": json.loads(body)["token"], "keys": [key.jwk for key in client.keys]}
    status, body, _ = client.call("POST", "/v1/clients", json.dumps(enrollment).encode())
    assert status == 201, body
    enrolled = [(key["keyid"], key["algorithm"], key["status"]) for key in json.loads(body)["keys"]]
    assert sorted(enrolled) == sorted((key.keyid, key.alg, "active") for key in client.keys)
    return client


def test_it_imports_nothing_of_ours_and_is_short() -> None:
    source = Path(second_client.__file__).read_text()
    nodes = list(ast.walk(ast.parse(source)))
    imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)]
    strangers = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert strangers == {"cryptography", "httpx"}
    assert "import_module" not in source
    assert "__import__" not in source
    assert len(source.splitlines()) < 150


@pytest.mark.parametrize("seal", [False, True], ids=["clear", "sealed"])
def test_signed_requests_and_answers(client: Client, seal: bool) -> None:
    status, body, bases = client.call("GET", "/v1/clients/me", seal=seal)
    assert status == 200
    assert {key["keyid"] for key in json.loads(body)["keys"]} == {key.keyid for key in client.keys}
    assert len(bases) == len(client.keys)
    store_and_read(client, None, seal)


@pytest.mark.parametrize("seal", [False, True], ids=["clear", "sealed"])
@pytest.mark.parametrize("suite", SUITES)
def test_session(client: Client, suite: str, seal: bool) -> None:
    store_and_read(client, client.open(suite), seal)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("next_suite", SUITES)
def test_rekey(client: Client, suite: str, next_suite: str) -> None:
    old = client.open(suite)
    new = client.open(next_suite, old)
    assert {old.keyid, old.secret} & {new.keyid, new.secret} == set()
    store_and_read(client, new, seal=True)
    assert client.call("GET", "/v1/clients/me", via=old)[0] == 200  # still, for some seconds
    offer = json.dumps({"suite": suite, "public_key": b64u(KemKey(suite).public)}).encode()
    assert client.call("POST", f"/v1/sessions/{old.keyid}/rekey", offer, via=old)[0] == 401
    assert client.call("DELETE", f"/v1/sessions/{new.keyid}", via=new, seal=True)[:2] == (204, b"")
    assert client.call("GET", "/v1/clients/me", via=new)[0] == 401


@pytest.mark.parametrize("seal", [False, True], ids=["clear", "sealed"])
def test_problems_are_signed_and_sealed_too(client: Client, seal: bool) -> None:
    for session in (None, client.open("x-wing")):
        status, body, _ = client.call("GET", "/v1/datasets/nowhere/records", via=session, seal=seal)
        assert (status, json.loads(body)["type"]) == (404, "urn:problem-type:secure-api:not-found")


@pytest.mark.parametrize("within", [False, True], ids=["keys", "session"])
@pytest.mark.parametrize(
    "spoil", ["status", "body", "content-type", "coverage", "signature", "unsigned", "other request"]
)
def test_it_refuses_an_answer_that_was_touched(
    client: Client, within: bool, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = client.open("x-wing") if within else None
    answers: list[httpx.Response] = []

    def on_the_way(*args: Any, **options: Any) -> httpx.Response:
        answers.append(send(*args, **options))
        return answers[0] if spoil == "other request" else spoilt(answers[-1], spoil)

    send = httpx.request
    monkeypatch.setattr(httpx, "request", on_the_way)
    if spoil == "other request":  # whose answer is believed; and then the same again
        assert client.call("GET", "/v1/clients/me", via=session)[0] == 200
    with pytest.raises((AssertionError, InvalidSignature)):
        client.call("GET", "/v1/clients/me", via=session)
    assert {answer.status_code for answer in answers} == {200}


def test_it_refuses_a_server_that_is_another(client: Client) -> None:
    other = Key("ml-dsa-65", os.urandom(32))
    mistaken = Client(client.url, client.keys, other.jwk)
    for refused in (
        lambda: mistaken.call("GET", "/v1/clients/me"),
        mistaken.sealing_key,
        lambda: mistaken.open("x-wing"),
    ):
        with pytest.raises((AssertionError, InvalidSignature)):
            refused()


@pytest.mark.parametrize("name", ["public_key", "created", "retires", "expires", "signature"])
def test_it_refuses_a_sealing_key_that_was_touched(client: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = httpx.get(f"{client.url}/.well-known/secure-api").json()
    entry = document["sealing"]["keys"][0]
    values = {"public_key": b64u(os.urandom(1216)), "signature": {"value": b64u(os.urandom(3309))}}
    entry[name] = values.get(name) or entry[name] + 1
    monkeypatch.setattr(httpx, "get", lambda url: httpx.Response(200, json=document))
    with pytest.raises(InvalidSignature):
        client.sealing_key()


def test_the_server_refuses_other_keys_of_a_session(client: Client) -> None:
    session = client.open("x-wing")
    session.sign = Session(session.keyid, [b""], b"").sign
    assert client.call("GET", "/v1/clients/me", via=session)[0] == 401


def spoilt(answer: httpx.Response, how: str) -> httpx.Response:
    """What a man in the middle may make of an answer."""
    status, headers, body = answer.status_code, answer.headers.copy(), answer.content
    if how == "status":
        status = 202
    elif how == "body":
        body += b" "
    elif how == "content-type":
        headers["content-type"] = "text/plain"
    elif how == "coverage":
        headers["signature-input"] = headers["signature-input"].replace('"@status" ', "")
    elif how == "signature":
        first = headers["signature"].removeprefix("sig1=:")[0]
        headers["signature"] = headers["signature"].replace(f"=:{first}", "=:B" if first == "A" else "=:A")
    else:
        del headers["signature"], headers["signature-input"]
    return httpx.Response(status, headers=headers, content=body)


def store_and_read(client: Client, session: Session | None, seal: bool) -> None:
    """Make a dataset, put a record into it and read it back."""
    records = f"/v1/datasets/{(name := secrets.token_hex(8))}/records"
    record = {"time": "2026-11-22T09:30:00Z", "attributes": {"pulse": 61}}
    assert client.call("POST", "/v1/datasets", json.dumps({"name": name}).encode(), session, seal)[0] == 201
    assert client.call("POST", records, json.dumps(record).encode(), session, seal)[0] == 201
    status, body, _ = client.call("GET", f"{records}?from=2026-01-01T00:00:00%2B01:00&limit=5", b"", session, seal)
    assert (status, json.loads(body)["records"]) == (200, [record])
