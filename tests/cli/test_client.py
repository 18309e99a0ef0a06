"""The Python client against the product itself: one line of user code, sync and async."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.client import Problem, SignatureAuth
from secure_api.settings import Settings
from tests.api.running import started
from tests.cli.conftest import Consortium
from tests.consortium import AUTHORITY, make_home
from tests.installations import anyio_backend, sqlite_template

__all__ = ["anyio_backend", "sqlite_template"]

RECORD = b'{"time": "2026-11-22T09:30:00Z", "attributes": {}}'


def pieces() -> Iterator[bytes]:
    yield b'[{"time": "2026-11-22T09:30:00Z", '
    yield b'"attributes": {}}]'


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


def client_of(consortium: Consortium, profile: str) -> httpx.Client:
    """What the README tells to write."""
    auth = SignatureAuth.from_profile(profile, consortium.program.config)
    return httpx.Client(base_url=consortium.url, auth=auth, trust_env=False)


def test_a_sync_client(consortium: Consortium) -> None:
    with client_of(consortium, "admin") as admin:
        assert admin.get("/v1/clients/me").raise_for_status().json()["role"] == "admin"
        assert admin.post("/v1/datasets", json={"name": "py-sync"}).status_code == 201
        target = "/v1/datasets/py-sync/records"
        json_type = {"Content-Type": "application/json"}
        assert admin.post(target, content=RECORD, headers=json_type).json() == {"accepted": 1}
        assert admin.post(target, content=pieces(), headers=json_type).json() == {"accepted": 1}
        page = admin.get(target, params={"limit": 1, "from": "2026-11-22T09:30:00+00:00"}).raise_for_status().json()
        assert len(page["records"]) == 1
        again = admin.get(target, params={"limit": 1, "cursor": page["next"], "from": "2026-11-22T09:30:00+00:00"})
        assert again.raise_for_status().json()["next"] is None
        refused = admin.post(target, content=b"x", headers={"Content-Type": "text/plain"})
        problem = Problem.parse(refused.headers["content-type"], refused.content)
        assert (refused.status_code, problem and problem.status) == (415, 415)
        request_without_body = admin.request("DELETE", "/v1/keys/" + "A" * 43)
        assert request_without_body.status_code == 404


def test_no_auth_no_answer(consortium: Consortium) -> None:
    with httpx.Client(base_url=consortium.url, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/clients/me").status_code == 401


@pytest.mark.anyio
async def test_an_async_client_inside_the_process(sqlite_template: Path, tmp_path: Path) -> None:
    settings = Settings(home=make_home(tmp_path / "home", sqlite_template))
    pair = [PrivateKey.generate(algorithm) for algorithm in (SignatureAlgorithm.ML_DSA_44, SignatureAlgorithm.ED25519)]
    async with started(settings) as application:
        transport = httpx.ASGITransport(application.app, raise_app_exceptions=False)
        admin = SignatureAuth(*application.admin.keys)
        token = await application.admin.ok("POST", "/v1/tokens", {"organization": "operator", "role": "contributor"})
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{AUTHORITY}", auth=admin) as client:
            enrollment = {"token": token["token"], "keys": [key.public_key.jwk() for key in pair]}
            enrolled = await client.post("/v1/clients", json=enrollment, auth=SignatureAuth(*pair))
            assert enrolled.status_code == 201, enrolled.text
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{AUTHORITY}:80", auth=SignatureAuth(*pair)
        ) as client:
            assert (await client.post("/v1/datasets", json={"name": "py-async"})).status_code == 201
            json_type = {"Content-Type": "application/json"}
            sent = await client.post("/v1/datasets/py-async/records", content=async_pieces(), headers=json_type)
            assert sent.json() == {"accepted": 1}
            assert len((await client.get("/v1/clients/me")).json()["keys"]) == 2
            one = await client.get("/v1/clients/me", auth=SignatureAuth(pair[0]))
            assert one.status_code == 401
