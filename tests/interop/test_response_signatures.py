"""PyPI `http-message-signatures` and signed answers: `;req`, `;key=`, and every algorithm, in both directions."""

from __future__ import annotations

import time
from base64 import b64decode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519, HMAC_SHA256

from crypto import (
    TAG,
    MacAlgorithm,
    MacKey,
    PrivateKey,
    Request,
    Response,
    SignatureAlgorithm,
    SignatureInput,
    VerificationError,
    parse_signature_input,
    sign_request,
    sign_response,
    verify_response,
)
from crypto.response_signatures import RESPONSE_COMPONENTS


class MlDsa65(HTTPSignatureAlgorithm):
    """ML-DSA-65 as a custom algorithm of the library: C2SP httpsig-pq, on `cryptography` alone."""

    algorithm_id = "ml-dsa-65"

    def __init__(self, public_key: bytes | None = None, private_key: bytes | None = None) -> None:
        self.public_key: Any = load_pem_public_key(public_key) if public_key else None
        self.private_key: Any = load_pem_private_key(private_key, None) if private_key else None

    def sign(self, message: bytes) -> bytes:
        signature: bytes = self.private_key.sign(message)
        return signature

    def verify(self, signature: bytes, message: bytes) -> None:
        self.public_key.verify(signature, message)


SECRET = bytes(range(32))
SERVERS: dict[str, PrivateKey | MacKey] = {
    "ml-dsa-65": PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, SECRET),
    "ed25519": PrivateKey.from_seed(SignatureAlgorithm.ED25519, SECRET),
    "hmac-sha256": MacKey("session-1", SECRET),
}
THEIRS: dict[str, type[HTTPSignatureAlgorithm]] = {"ml-dsa-65": MlDsa65, "ed25519": ED25519, "hmac-sha256": HMAC_SHA256}
CLIENTS = [PrivateKey.generate(SignatureAlgorithm.ML_DSA_44), PrivateKey.generate(SignatureAlgorithm.ED25519)]
EVERY_SERVER = pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS.keys())
EVERY_NUMBER = pytest.mark.parametrize("clients", [CLIENTS[:1], CLIENTS], ids=["one label", "two labels"])


@dataclass
class Asked:
    """A signed request as the library wants it."""

    method: str = "POST"
    url: str = "https://API.example.com:443/v1/datasets/a%20b/records?q=%26&r=+~*"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json", "Accept": "*/*"})

    def request(self) -> Request:
        """The same request as ours."""
        authority, _, target = self.url.removeprefix("https://").partition("/")
        path, _, query = f"/{target}".partition("?")
        headers = tuple((name.lower().encode(), value.encode()) for name, value in self.headers.items())
        return Request(self.method, authority, path, query, headers)

    def signed(self, keys: list[PrivateKey]) -> Asked:
        """The same, signed by `sign_request`."""
        nonces = [f'a nonce; "{number}"' for number in range(len(keys))]
        fields = sign_request(self.request(), b"{}", keys, created=int(time.time()), nonces=nonces)
        return replace(self, headers={**self.headers, **dict(fields)})

    def inputs(self) -> tuple[SignatureInput, ...]:
        """The inputs of its signatures."""
        return tuple(parse_signature_input(self.headers["signature-input"].encode()).values())


@dataclass
class Answered:
    """A response as the library wants it."""

    request: Asked
    status_code: int = 201
    body: bytes = b'{"accepted": 1}'
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    def response(self) -> Response:
        """The same response as ours."""
        headers = tuple((name.encode(), value.encode()) for name, value in self.headers.items())
        return Response(self.status_code, headers, self.body)

    def components(self) -> list[str]:
        """What the protocol has an answer to this request cover."""
        labels = [f'"signature-input";req;key="{entry.label}"' for entry in self.request.inputs()]
        return [*RESPONSE_COMPONENTS, *labels]


def resolver(server: PrivateKey | MacKey) -> MappingKeyResolver:
    """The server's key, as the library reads it."""
    public: Any = SECRET if isinstance(server, MacKey) else server.public_key.pem()
    private: Any = SECRET if isinstance(server, MacKey) else server.pem(None)
    return MappingKeyResolver(public_keys={server.keyid: public}, private_keys={server.keyid: private})


def sign_by_us(server: PrivateKey | MacKey, clients: list[PrivateKey]) -> Answered:
    """An answer that `sign_response` signed."""
    answer = Answered(Asked().signed(clients))
    fields = sign_response(
        answer.response(),
        answer.request.request(),
        answer.request.inputs(),
        server,
        label="sig1",
        created=int(time.time()),
    )
    return replace(answer, headers={**answer.headers, **dict(fields)})


def sign_by_library(server: PrivateKey | MacKey, clients: list[PrivateKey], **changes: Any) -> Answered:
    """An answer that the library signed for our profile."""
    answer = Answered(Asked().signed(clients))
    arguments: dict[str, Any] = {
        "key_id": server.keyid,
        "created": datetime.fromtimestamp(int(time.time()), UTC),
        "tag": TAG,
        "label": "sig1",
        "covered_component_ids": answer.components(),
        "body": answer.body,
    }
    signer = HTTPMessageSigner(signature_algorithm=THEIRS[server.algorithm], key_resolver=resolver(server))
    signer.sign(answer, **{**arguments, **changes})
    return answer


def verify_by_us(answer: Answered, server: PrivateKey | MacKey) -> None:
    """As the client does."""
    key = server if isinstance(server, MacKey) else server.public_key
    request = answer.request
    verify_response(answer.response(), request.request(), request.inputs(), key, keyid=server.keyid)


def verify_by_library(answer: Answered, server: PrivateKey | MacKey) -> Any:
    """With everything covered that the protocol says."""
    verifier = HTTPMessageVerifier(signature_algorithm=THEIRS[server.algorithm], key_resolver=resolver(server))
    (result,) = verifier.verify(answer, expect_tag=TAG, require_components=answer.components(), body=answer.body)
    return result


@EVERY_SERVER
@EVERY_NUMBER
def test_what_we_sign_the_library_verifies(server: PrivateKey | MacKey, clients: list[PrivateKey]) -> None:
    answer = sign_by_us(server, clients)
    result = verify_by_library(answer, server)
    assert result.body == answer.body
    assert list(result.covered_components) == [*answer.components(), '"@signature-params"']
    assert result.covered_components['"@authority";req'] == "api.example.com"
    assert result.covered_components['"signature-input";req;key="sig1"'] == answer.request.inputs()[0].text
    assert result.parameters["keyid"] == server.keyid


@EVERY_SERVER
@EVERY_NUMBER
def test_what_the_library_signs_we_believe(server: PrivateKey | MacKey, clients: list[PrivateKey]) -> None:
    answer = sign_by_library(server, clients)
    verify_by_us(answer, server)
    verify_by_library(answer, server)


@EVERY_NUMBER
def test_a_mac_by_either_is_the_same_bytes(clients: list[PrivateKey]) -> None:
    server = SERVERS["hmac-sha256"]
    ours = sign_by_us(server, clients)
    created = parse_signature_input(ours.headers["signature-input"].encode())["sig1"].created
    assert created is not None
    prepared = HTTPMessageSigner(signature_algorithm=HMAC_SHA256).prepare(
        ours,
        key_id=server.keyid,
        created=datetime.fromtimestamp(created, UTC),
        tag=TAG,
        covered_component_ids=ours.components(),
        use_existing_digest=True,
        body=ours.body,
    )
    assert b64decode(ours.headers["signature"].removeprefix("sig1=:")[:-1]) == server.sign(prepared.signature_base)


@EVERY_SERVER
def test_neither_believes_a_changed_exchange(server: PrivateKey | MacKey) -> None:
    for answer in (sign_by_us(server, CLIENTS), sign_by_library(server, CLIENTS)):
        asked = answer.request
        renonced = asked.headers["signature-input"].replace('a nonce; \\"1', 'a nonce; \\"2')
        assert renonced != asked.headers["signature-input"]
        for changed in (
            replace(answer, status_code=200),
            replace(answer, body=b"{}"),
            replace(answer, headers={**answer.headers, "Content-Type": "text/html"}),
            replace(answer, request=replace(asked, method="PUT")),
            replace(answer, request=replace(asked, url=asked.url.replace("q=", "p="))),
            replace(answer, request=replace(asked, url=asked.url.replace("datasets", "dataset"))),
            replace(answer, request=replace(asked, url=asked.url.replace("example.com", "example.org"))),
            replace(answer, request=replace(asked, headers={**asked.headers, "Content-Type": "text/plain"})),
            replace(answer, request=replace(asked, headers={**asked.headers, "signature-input": renonced})),
        ):
            with pytest.raises(InvalidSignature):
                verify_by_library(changed, server)
            with pytest.raises(VerificationError):
                verify_by_us(changed, server)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"include_alg": False}, "algorithm-mismatch"),
        ({"tag": "other"}, "parameter-missing"),
        ({"tag": None}, "parameter-missing"),
        ({"nonce": "a nonce"}, "unknown-parameter"),
        ({"expires": datetime(2100, 1, 1, tzinfo=UTC)}, "unknown-parameter"),
        ({"label": "sig2"}, "missing-signature"),
        ({"covered_component_ids": ["@status", "content-type", "content-digest"]}, "coverage"),
    ],
)
def test_an_answer_of_the_library_that_is_not_what_we_ask_for_is_refused(changes: dict[str, Any], reason: str) -> None:
    server = SERVERS["ed25519"]
    with pytest.raises(VerificationError) as refused:
        verify_by_us(sign_by_library(server, CLIENTS, **changes), server)
    assert refused.value.reason == reason


def test_a_proxys_signature_beside_ours_is_ignored() -> None:
    server, proxy = SERVERS["ml-dsa-65"], SERVERS["ed25519"]
    answer = sign_by_us(server, CLIENTS)
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=resolver(proxy))
    signer.sign(
        answer,
        key_id=proxy.keyid,
        created=datetime.fromtimestamp(int(time.time()), UTC),
        tag="a-proxy",
        label="proxy",
        covered_component_ids=("@status", '"signature";key="sig1"'),
        append_if_signature_exists=True,
        use_existing_digest=True,
    )
    assert list(parse_signature_input(answer.headers["Signature-Input"].encode())) == ["sig1", "proxy"]
    verify_by_us(answer, server)
    with pytest.raises(VerificationError):
        verify_by_us(answer, proxy)


def test_every_algorithm_of_an_answer_is_covered() -> None:
    assert set(THEIRS) == set(SERVERS) >= set(MacAlgorithm)
