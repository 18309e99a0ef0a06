"""An answer to the request of `signed_message`, signed by the server, and signature bases written by hand."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto import (
    MacKey,
    PrivateKey,
    Request,
    Response,
    SignatureAlgorithm,
    SignatureInput,
    VerificationError,
    VerificationKey,
    content_digest,
    parse_signature_input,
    sign_response,
    verify_response,
)
from tests.unit.crypto.signed_message import ED25519, ML_DSA, NOW, signed, text

SERVER = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(64, 96)))
REQUEST = signed(ML_DSA, ED25519)
ANSWER = Response(201, ((b"content-type", b"application/json"), (b"x-other", b"1")), b'{"accepted": 1}')


def inputs_of(request: Request) -> tuple[SignatureInput, ...]:
    """The inputs of a request's signatures."""
    return tuple(parse_signature_input(text(request, "signature-input").encode()).values())


INPUTS = inputs_of(REQUEST)


def with_line(response: Response, name: str, *values: str | bytes) -> Response:
    """The response with these lines of a field, and no others of that name."""
    kept = tuple(line for line in response.headers if line[0] != name.encode())
    lines = [(name.encode(), value if isinstance(value, bytes) else value.encode("latin-1")) for value in values]
    return replace(response, headers=(*kept, *lines))


def line(response: Response, name: str) -> str:
    """The value of a field that the response has."""
    value = response.field(name.encode())
    assert value is not None
    return value.decode("latin-1")


def verifier_of(key: PrivateKey | MacKey) -> VerificationKey:
    """What verifies the signatures of a key."""
    return key if isinstance(key, MacKey) else key.public_key


def signed_answer(
    key: PrivateKey | MacKey = SERVER,
    *,
    response: Response = ANSWER,
    request: Request = REQUEST,
    inputs: Sequence[SignatureInput] | None = None,
    label: str = "sig1",
) -> Response:
    """The response with its signature fields."""
    inputs = inputs_of(request) if inputs is None else inputs
    for name, value in sign_response(response, request, inputs, key, label=label, created=NOW):
        response = with_line(response, name, value)
    return response


def verdict(
    response: Response,
    key: VerificationKey = SERVER.public_key,
    *,
    request: Request = REQUEST,
    inputs: Sequence[SignatureInput] | None = None,
    keyid: str = SERVER.keyid,
    label: str = "sig1",
) -> str:
    """`believed`, or the reason why not."""
    inputs = inputs_of(request) if inputs is None else inputs
    try:
        verify_response(response, request, inputs, key, keyid=keyid, label=label)
    except VerificationError as error:
        return error.reason
    return "believed"


@dataclass(frozen=True)
class ByHand:
    """A signature as its signer might compose it: component identifiers with their values, and parameters."""

    components: tuple[tuple[str, str], ...]
    parameters: str

    @property
    def input(self) -> str:
        """The inner list with its parameters."""
        return f"({' '.join(name for name, _ in self.components)}){self.parameters}"

    @property
    def base(self) -> bytes:
        """The signature base (RFC 9421 §2.5)."""
        lines = [f"{name}: {value}" for name, value in self.components]
        return "\n".join([*lines, f'"@signature-params": {self.input}']).encode("ascii")

    def answer(self, key: PrivateKey | MacKey = SERVER) -> Response:
        """The answer with this signature, which is valid whatever it covers."""
        response = with_line(ANSWER, "content-digest", content_digest(ANSWER.body))
        response = with_line(response, "signature-input", f"sig1={self.input}")
        return with_line(response, "signature", f"sig1=:{b64encode(key.sign(self.base)).decode()}:")


def by_hand(key: PrivateKey | MacKey = SERVER) -> ByHand:
    """What the server signs of `ANSWER`, with every value spelled out or taken from the request's own fields."""
    fields = text(REQUEST, "signature-input").split(", ")
    return ByHand(
        (
            ('"@status"', "201"),
            ('"content-type"', "application/json"),
            ('"content-digest"', "sha-256=:gwe6FxTqa+gxJaX/jS1aIyiBY3SZPBzEPEzWe3Q3D+8=:"),
            ('"@method";req', "POST"),
            ('"@authority";req', "api.example.com"),
            ('"@path";req', "/v1/datasets/weather/records"),
            ('"@query";req', "?dry=1"),
            ('"content-type";req', "application/json"),
            ('"content-digest";req', text(REQUEST, "content-digest")),
            ('"signature-input";req;key="sig1"', fields[0].removeprefix("sig1=")),
            ('"signature-input";req;key="sig2"', fields[1].removeprefix("sig2=")),
        ),
        f';created={NOW};keyid="{key.keyid}";alg="{key.algorithm}";tag="secure-api"',
    )
