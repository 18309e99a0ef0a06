"""`SignatureAuth`: what it signs is what a verifier receives, in every way that httpx sends requests."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from crypto import PassphraseError, PrivateKey, SignatureAlgorithm, SigningError, write_private_key
from secure_api.client import ClientError, ClientProfile, ProfileStore, Session, SignatureAuth
from secure_api.client.signature_auth import new_nonce
from tests.unit.secure_api.client.verifying_server import NOW, VerifyingServer

URL = "https://api.example"
KEY = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_44, bytes(32))
CLASSIC = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(32)))


@pytest.fixture
def server() -> VerifyingServer:
    return VerifyingServer((KEY, CLASSIC))


def auth_at(now: float = NOW, *keys: PrivateKey, lifetime: int = 60) -> SignatureAuth:
    return SignatureAuth(*(keys or (KEY,)), lifetime=lifetime, clock=lambda: now)


@pytest.mark.parametrize("algorithm", SignatureAlgorithm)
def test_every_algorithm_is_believed(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.generate(algorithm)
    server = VerifyingServer((key,))
    with server.client(auth_at(NOW, key)) as client:
        assert client.post(f"{URL}/v1/x", json={"a": 1}).status_code == 200
    (label,) = server.believed[0].labels
    assert (label.keyid, label.algorithm, label.created, label.expires) == (key.keyid, algorithm, NOW, NOW + 60)


def test_two_keys_give_two_labels_with_a_nonce_each(server: VerifyingServer) -> None:
    with server.client(auth_at(NOW, KEY, CLASSIC)) as client:
        assert client.get(f"{URL}/").status_code == 200
    labels = server.believed[0].labels
    assert [label.keyid for label in labels] == [KEY.keyid, CLASSIC.keyid]
    assert len({label.nonce for label in labels}) == 2


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://API.Example/", "api.example"),
        ("https://api.example:443/", "api.example"),
        ("http://api.example:80/", "api.example"),
        ("https://api.example:8443/", "api.example:8443"),
        ("http://api.example:443/", "api.example:443"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
    ],
)
def test_the_authority_is_that_of_the_host_field(server: VerifyingServer, url: str, authority: str) -> None:
    with server.client(auth_at()) as client:
        assert client.get(url).status_code == 200
    assert server.believed[0].request.component("@authority") == authority


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("", "/", "?"),
        ("/a%2Fb/ü", "/a%2Fb/%C3%BC", "?"),
        ("/a?", "/a", "?"),
        ("/a?x=1&y=%20%3F&z=a+b", "/a", "?x=1&y=%20%3F&z=a+b"),
        ("/a?first?second", "/a", "?first?second"),
        ("/a#fragment", "/a", "?"),
    ],
)
def test_path_and_query_are_signed_as_sent(server: VerifyingServer, target: str, path: str, query: str) -> None:
    with server.client(auth_at()) as client:
        assert client.get(URL + target).status_code == 200
    request = server.believed[0].request
    assert (request.component("@path"), request.component("@query")) == (path, query)


def test_a_request_without_a_content_type_gets_one(server: VerifyingServer) -> None:
    with server.client(auth_at()) as client:
        client.get(f"{URL}/")
        client.post(f"{URL}/", content=b"\x00\x01")
        client.post(f"{URL}/", json={})
        client.post(f"{URL}/", content=b"a,b", headers={"Content-Type": "text/csv"})
    assert [signed.request.component("content-type") for signed in server.believed] == [
        "application/json",
        "application/octet-stream",
        "application/json",
        "text/csv",
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_bodiless_requests_carry_the_digest_of_nothing(server: VerifyingServer, method: str) -> None:
    with server.client(auth_at()) as client:
        assert client.request(method, f"{URL}/").status_code == 200
    assert "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:" in server.received[0].headers["content-digest"]


def test_streamed_bodies_are_read_and_signed(server: VerifyingServer) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    with server.client(auth_at()) as client:
        assert client.post(f"{URL}/", content=pieces()).content == b"one two"
    assert server.reasons == []


@pytest.mark.anyio
async def test_the_same_flow_serves_async_clients(server: VerifyingServer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def handle(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return server(request)

    async with httpx.AsyncClient(auth=auth_at(), transport=httpx.MockTransport(handle), base_url=URL) as client:
        assert (await client.post("/streamed", content=pieces())).content == b"one two"
        assert (await client.get("/plain")).status_code == 200
    assert server.reasons == []


@pytest.mark.parametrize(("now", "reason"), [(NOW + 6, "not-yet-valid"), (NOW - 66, "expired")])
def test_the_clock_decides(server: VerifyingServer, now: int, reason: str) -> None:
    with server.client(auth_at(now)) as client:
        assert client.get(f"{URL}/").status_code == 401
    assert server.reasons == [reason]


def test_the_lifetime_decides(server: VerifyingServer) -> None:
    with server.client(auth_at(NOW, lifetime=301)) as client:
        assert client.get(f"{URL}/").status_code == 401
    assert server.reasons == ["window-too-long"]


def test_the_nonce_source_is_asked_once_a_key(server: VerifyingServer) -> None:
    numbers = itertools.count()
    auth = SignatureAuth(KEY, CLASSIC, clock=lambda: NOW, nonce_source=lambda: f"my-nonce-{next(numbers)}")
    with server.client(auth) as client:
        client.get(f"{URL}/")
        client.get(f"{URL}/")
    nonces = [label.nonce for signed in server.believed for label in signed.labels]
    assert nonces == [f"my-nonce-{number}" for number in range(4)]


def test_nonces_are_random_and_long_enough() -> None:
    made = {new_nonce() for _ in range(200)}
    assert len(made) == 200
    assert {len(nonce) for nonce in made} == {22}


def test_fields_of_an_earlier_signature_are_replaced(server: VerifyingServer) -> None:
    stale = {"Signature": "x=:AA==:", "Signature-Input": "x=()", "Content-Digest": "sha-256=:AA==:"}
    with server.client(auth_at()) as client:
        assert client.get(f"{URL}/", headers=stale).status_code == 200


def test_two_content_types_cannot_be_signed(server: VerifyingServer) -> None:
    with server.client(auth_at()) as client, pytest.raises(SigningError, match="several content-type"):
        client.get(f"{URL}/", headers=[("Content-Type", "a/b"), ("Content-Type", "c/d")])
    assert server.received == []


def test_without_a_key_there_is_no_auth() -> None:
    with pytest.raises(SigningError, match="a key is needed"):
        SignatureAuth()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_on_the_same_server_are_signed_anew(server: VerifyingServer, status: int) -> None:
    server.redirects = {"/old": (status, "/new?x=1")}
    with server.client(auth_at(), follow_redirects=True) as client:
        response = client.post(f"{URL}/old", json={"a": 1})
    assert response.status_code == 200
    request = server.believed[0].request
    assert (request.component("@path"), request.component("@query")) == ("/new", "?x=1")
    kept = status in {307, 308}
    assert (request.method, response.content) == (("POST", b'{"a":1}') if kept else ("GET", b""))


def bodies_of_the_other_kind() -> tuple[Iterator[bytes], AsyncIterator[bytes]]:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"

    return iter([b"one"]), pieces()


@pytest.mark.anyio
@pytest.mark.parametrize("session", [False, True])
async def test_an_iterator_that_the_client_cannot_read(server: VerifyingServer, session: bool) -> None:
    held = SignatureAuth(KEY, server_key=CLASSIC.public_key)
    auth = Session(held) if session else held
    plain, asynchronous = bodies_of_the_other_kind()
    async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(server)) as client:
        with pytest.raises(ClientError, match="an AsyncClient cannot read this body: give it bytes, or an async iter"):
            await client.post(URL, content=plain)
    with (
        server.client(auth) as sync,
        pytest.raises(ClientError, match=r"a Client cannot .*: give it bytes, or a plain"),
    ):
        sync.post(URL, content=asynchronous)
    assert server.received == []


def test_a_chain_of_redirects_and_a_streamed_body(server: VerifyingServer) -> None:
    server.redirects = {"/1": (308, "/2"), "/2": (308, "/3")}
    with server.client(auth_at(), follow_redirects=True) as client:
        response = client.post(f"{URL}/1", content=iter([b"a", b"b"]))
    assert (response.status_code, response.content, response.url.path) == (200, b"ab", "/3")


def test_a_circle_of_redirects_ends(server: VerifyingServer) -> None:
    server.redirects = {"/1": (307, "/2"), "/2": (307, "/1")}
    with server.client(auth_at(), follow_redirects=True) as client, pytest.raises(httpx.TooManyRedirects):
        client.get(f"{URL}/1")


def test_redirects_are_not_followed_unasked(server: VerifyingServer) -> None:
    server.redirects = {"/old": (307, "/new")}
    with server.client(auth_at()) as client:
        assert client.get(f"{URL}/old").status_code == 307
    assert len(server.received) == 1


@pytest.mark.parametrize("elsewhere", ["https://other.example/", "http://api.example/", "https://api.example:8443/"])
def test_nothing_is_signed_for_another_server(server: VerifyingServer, elsewhere: str) -> None:
    server.redirects = {"/old": (307, elsewhere)}
    with server.client(auth_at(), follow_redirects=True) as client:
        assert client.get(f"{URL}/old").status_code == 401
    assert server.received[0].headers["signature"] == server.received[1].headers["signature"]
    assert len(server.received) == 2
    assert server.believed == []


def test_an_honest_refusal_is_not_repeated() -> None:
    server = VerifyingServer(())
    with server.client(auth_at()) as client:
        assert client.get(f"{URL}/").status_code == 401
    assert server.reasons == ["unknown-key"]


def test_from_key_file(server: VerifyingServer, tmp_path: Path) -> None:
    write_private_key(tmp_path / "key.pem", KEY, b"correct horse battery")
    assert SignatureAuth.from_key_file(tmp_path / "key.pem", b"correct horse battery").keys[0].keyid == KEY.keyid
    with pytest.raises(PassphraseError):
        SignatureAuth.from_key_file(str(tmp_path / "key.pem"), b"wrong horse battery")


def test_from_profile(tmp_path: Path) -> None:
    for name, key in (("pq.pem", KEY), ("classic.pem", CLASSIC)):
        write_private_key(tmp_path / name, key, None)
    ProfileStore(tmp_path).put(ClientProfile("lab", URL, (tmp_path / "pq.pem", tmp_path / "classic.pem")))
    auth = SignatureAuth.from_profile("lab", str(tmp_path))
    assert [key.keyid for key in auth.keys] == [KEY.keyid, CLASSIC.keyid]
