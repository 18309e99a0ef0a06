"""Answers that somebody between changed, exchanged or made up: the client believes none of them."""

from __future__ import annotations

import httpx
import pytest

from crypto import PrivateKey, SignatureAlgorithm, content_digest
from secure_api.client import REPORT, ResponseRefused, SignatureAuth
from secure_api.settings import Settings
from tests.api.between import UNSIGNED, Change, between, forged, session_of, signing
from tests.api.running import started

pytestmark = pytest.mark.anyio

OTHER_DIGEST = {"content-digest": content_digest(b"{}")}
FORGERIES: dict[str, Change] = {
    "another status": lambda _, answer: forged(answer, status=204, body=b""),
    "another success": lambda _, answer: forged(answer, status=202),
    "another body": lambda _, answer: forged(answer, body=b"{}"),
    "another body and its digest": lambda _, answer: forged(answer, body=b"{}", fields=OTHER_DIGEST),
    "another type": lambda _, answer: forged(answer, fields={"content-type": "text/html"}),
    "no type": lambda _, answer: forged(answer, fields={"content-type": None}),
    "no digest": lambda _, answer: forged(answer, fields={"content-digest": None}),
    "no signature": lambda _, answer: forged(answer, fields=UNSIGNED),
    "no signature, and a refusal": lambda _, answer: forged(answer, status=403, fields=UNSIGNED),
    "another label": lambda _, answer: forged(
        answer,
        fields={name: answer.headers[name].replace("sig1=", "sig2=", 1) for name in ("signature", "signature-input")},
    ),
    "another key": lambda _, answer: forged(
        answer, fields={"signature-input": answer.headers["signature-input"].replace('keyid="', 'keyid="A', 1)}
    ),
    "a later time": lambda _, answer: forged(
        answer, fields={"signature-input": answer.headers["signature-input"].replace("created=1", "created=2", 1)}
    ),
    "half a signature": lambda _, answer: forged(answer, fields={"signature": "sig1=:AAAA:"}),
    "no dictionary": lambda _, answer: forged(answer, fields={"signature-input": "\x01"}),
}


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_answer_is_refused(embedded: Settings, forgery: str, within: bool) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        auth = session_of(peer) if within else signing(peer)
        async with middle.client(auth) as client:
            assert (await client.get("/v1/clients/me")).status_code == 200
            middle.change = FORGERIES[forgery]
            with pytest.raises(ResponseRefused, match=r"not the server's"):
                await client.get("/v1/clients/me")
            middle.change = lambda _, answer: answer
            assert (await client.get("/v1/clients/me")).status_code == 200


@pytest.mark.parametrize("within", [False, True])
async def test_the_answer_to_another_request_is_refused(embedded: Settings, within: bool) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        async with middle.client(session_of(peer) if within else signing(peer)) as client:
            await client.get("/v1/clients/me")
            earlier = middle.seen[-1][1]
            middle.change = lambda _, __: forged(earlier)
            for method, path in (("GET", "/v1/clients/me"), ("GET", "/v1/datasets"), ("DELETE", "/v1/clients/me")):
                with pytest.raises(ResponseRefused, match="not the server's"):
                    await client.request(method, path)


@pytest.mark.parametrize("status", [301, 401, 408, 413, 421, 429, 431, 500, 502, 503])
async def test_what_comes_before_the_signature_may_be_unsigned_and_says_nothing_else(
    embedded: Settings, status: int
) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda _, answer: forged(answer, status=status, body=b"x", fields=UNSIGNED)
        async with middle.client(signing(peer)) as client:
            response = await client.get("/v1/clients/me")
        assert (response.status_code, response.extensions[REPORT].signed_by) == (status, None)
        middle.change = lambda _, answer: forged(answer, status=status)
        async with middle.client(signing(peer)) as client:
            with pytest.raises(ResponseRefused):  # who does sign must sign what it says
                await client.get("/v1/clients/me")


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1), ("DELETE", 2)])
async def test_a_forged_401_doubles_no_request_that_counts(
    embedded: Settings, method: str, times: int, seal: bool
) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda request, answer: (
            answer if "sessions" in request.url.path else forged(answer, status=401, fields=UNSIGNED)
        )
        session = session_of(peer, seal=seal)
        async with middle.client(session) as client:
            body = {"name": "vitals"} if method == "POST" else None
            assert (await client.request(method, "/v1/datasets", json=body)).status_code == 401
        assert middle.paths().count(f"{method} /v1/datasets") == times
        assert middle.paths().count("POST /v1/sessions") == times
        assert session.current is None


async def test_a_redirect_has_no_post_sent_twice(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)

        def redirect(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
            if request.url.query:
                return answer
            return forged(answer, status=307, body=b"", fields=UNSIGNED | {"location": "/v1/datasets?again=1"})

        middle.change = redirect
        async with middle.client(signing(peer), follow_redirects=True) as client:
            assert (await client.get("/v1/datasets")).status_code == 200
            with pytest.raises(ResponseRefused, match="not sent twice"):
                await client.post("/v1/datasets", json={"name": "vitals"})
        async with middle.client(session_of(peer), follow_redirects=True) as client:
            middle.change = lambda request, answer: (
                answer if "sessions" in request.url.path else redirect(request, answer)
            )
            with pytest.raises(ResponseRefused, match="nothing signed was sent"):
                await client.get("/v1/datasets")


async def test_a_redirect_that_answers_for_the_server_is_refused(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        peer = await consortium.member("clinic")
        middle = between(consortium)
        middle.change = lambda request, answer: (
            forged(answer, status=302, body=b"", fields={"location": "/healthz"})
            if request.url.path != "/healthz"
            else answer
        )
        async with middle.client(signing(peer), follow_redirects=True) as client:
            with pytest.raises(ResponseRefused):
                await client.get("/v1/datasets")


async def test_who_holds_nothing_to_a_key_takes_any_answer(embedded: Settings) -> None:
    async with started(embedded) as consortium:
        middle = between(consortium)
        middle.change = lambda _, answer: forged(answer, status=200, body=b"anything")
        key = PrivateKey.generate(SignatureAlgorithm.ED25519)
        async with middle.client(SignatureAuth(key)) as client:
            response = await client.get("/v1/clients/me")
        assert (response.content, response.extensions[REPORT].signed_by) == (b"anything", None)
