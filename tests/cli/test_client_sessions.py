"""The sync client in a session, over a real server: threads that share it, redirects, timeouts, and its end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from crypto import KemAlgorithm
from secure_api.client import REPORT, ResponseRefused, ServerUnusable, Session, SignatureAuth
from secure_api.client.profiles import ProfileStore
from tests.cli.conftest import Consortium
from tests.unit.secure_api.cli.odd_server import odd_server

Unique = Callable[[str], str]
ME = "/v1/clients/me"


def session_of(consortium: Consortium, *, seal: bool = False, suite: KemAlgorithm = KemAlgorithm.X_WING) -> Session:
    """A session as the profile `clinic`."""
    return Session(SignatureAuth.from_profile("clinic", consortium.program.config), seal=seal, suite=suite)


def client_of(consortium: Consortium, auth: httpx.Auth, **options: bool) -> httpx.Client:
    return httpx.Client(base_url=consortium.url, auth=auth, trust_env=False, **options)  # type: ignore[arg-type]


def active(consortium: Consortium) -> set[str]:
    """The names of the active sessions of `clinic`, as the server says to a signed request."""
    with client_of(consortium, SignatureAuth.from_profile("clinic", consortium.program.config)) as client:
        return {entry["id"] for entry in client.get("/v1/sessions").raise_for_status().json()["sessions"]}


@pytest.mark.parametrize("suite", list(KemAlgorithm))
@pytest.mark.parametrize("seal", [False, True])
def test_requests_share_a_handshake(consortium: Consortium, unique: Unique, suite: KemAlgorithm, seal: bool) -> None:
    session = session_of(consortium, seal=seal, suite=suite)
    with client_of(consortium, session) as client:
        reports = []
        for _ in range(3):
            made = client.post("/v1/datasets", content=iter([b'{"name": "', unique("s").encode(), b'"}']))
            assert made.status_code == 415, "a stream without a type is no JSON"
            reports.append(made.extensions[REPORT])
        assert client.get(ME).json()["role"] == "contributor"
        assert [report.handshake is None for report in reports] == [False, True, True]
        assert {report.signed_by for report in reports} == {session.current.id if session.current else None}
        session.end(client)
        session.end(client)
    assert session.current is None


def test_threads_share_one_session_and_one_handshake(consortium: Consortium) -> None:
    before, session = active(consortium), session_of(consortium, seal=True)
    with client_of(consortium, session) as client, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.get(ME), range(40)))
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.extensions[REPORT].handshake is not None for answer in answers) == 1
        assert len(active(consortium) - before) == 1
        session.end(client)
        assert active(consortium) == before


def test_threads_with_an_event_loop_each_share_one_session(consortium: Consortium) -> None:
    session, barrier = session_of(consortium), threading.Barrier(3)

    async def ask() -> set[int]:
        async with httpx.AsyncClient(base_url=consortium.url, auth=session, trust_env=False) as client:
            answers = [answer for _ in range(5) for answer in await asyncio.gather(*(client.get(ME) for _ in range(4)))]
            return {answer.status_code for answer in answers}

    def run(_: int) -> set[int]:
        barrier.wait()
        return asyncio.run(ask())

    with ThreadPoolExecutor(3) as threads, client_of(consortium, session) as client:
        assert list(threads.map(run, range(3))) == [{200}] * 3
        assert client.get(ME).extensions[REPORT].handshake is None, "what the loops opened, threads use"
        session.end(client)


def test_threads_lose_nothing_when_the_session_ends_under_them(consortium: Consortium, unique: Unique) -> None:
    session, other = session_of(consortium), SignatureAuth.from_profile("clinic", consortium.program.config)
    dataset = f"/v1/datasets/{unique('threads')}"
    with client_of(consortium, session) as client, ThreadPoolExecutor(4) as threads:
        client.post("/v1/datasets", json={"name": dataset.rpartition("/")[2]}).raise_for_status()
        first = session.current
        assert first is not None

        def get(number: int) -> int:
            if number == 10:
                client.delete(f"/v1/sessions/{first.id}", auth=other)
            return client.get(f"{dataset}/records").status_code

        assert set(threads.map(get, range(40))) == {200}
        assert session.current is not None
        assert session.current.id != first.id
        session.end(client)


def test_a_failed_handshake_leaves_the_session_usable(consortium: Consortium) -> None:
    session = session_of(consortium)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}{ME}"
        with client_of(consortium, session) as client:
            for _ in range(2):
                with pytest.raises(httpx.ConnectError):
                    client.get(nowhere)
            assert session.current is None
            assert client.get(ME).status_code == 200
            session.end(client)


def test_the_handshake_waits_no_longer_than_the_request(consortium: Consortium) -> None:
    with odd_server() as odd, client_of(consortium, session_of(consortium)) as client:
        odd.hang = True
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{odd.url}{ME}", timeout=httpx.Timeout(30, read=0.2))
        assert [path for _, path, *_ in odd.received] == ["/v1/sessions"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_takes_no_session_along(consortium: Consortium, status: int) -> None:
    with odd_server() as odd, client_of(consortium, session_of(consortium), follow_redirects=True) as client:
        odd.status, odd.fields = status, {"Location": f"{consortium.url}{ME}"}
        with pytest.raises(ResponseRefused, match="redirect"):
            client.get(f"{odd.url}{ME}")
    with odd_server() as odd, client_of(consortium, session_of(consortium)) as client:
        odd.status, odd.fields = status, {"Location": f"{consortium.url}{ME}"}
        with pytest.raises(ServerUnusable, match=f"HTTP {status}"):
            client.get(f"{odd.url}{ME}")


def test_a_server_that_is_another_opens_no_session(consortium: Consortium) -> None:
    with odd_server() as odd, client_of(consortium, session_of(consortium)) as client:
        odd.status, odd.body = 201, b'{"id": "' + b"A" * 32 + b'"}'
        with pytest.raises(ResponseRefused, match="not the server's"):
            client.get(f"{odd.url}{ME}")
        assert [path for _, path, *_ in odd.received] == ["/v1/sessions"]


def test_what_the_readme_says_works(consortium: Consortium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECURE_API_CONFIG", str(consortium.program.config))
    assert ProfileStore().get("clinic").server_key is not None
    session = Session(SignatureAuth.from_profile("clinic"), seal=True)
    with httpx.Client(base_url=consortium.url, auth=session, trust_env=False) as client:
        assert client.get(ME).json()["organization"] == "clinic"
        session.end(client)
    with httpx.Client(
        base_url=consortium.url, auth=SignatureAuth.from_profile("clinic", seal=True), trust_env=False
    ) as client:
        response = client.get(ME)
        assert (response.status_code, response.extensions[REPORT].sealed_by) == (200, "hpke-x-wing")
