"""Signed responses, bound to the request that they answer (RFC 9421 §2.4, §5).

A response's signature covers its status, type and digest, and of the request everything that its own signature
covered, with that signature's input: so an answer to another request, or to the same request sent again, does not
verify. `Accept-Signature` asks for it, and says under which label and by which key.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crypto.content_digest import content_digest, verify_content_digest
from crypto.errors import FieldSyntaxError, InvalidSignature, ProfileError, SigningError, VerificationError
from crypto.messages import Request
from crypto.profile import COMPONENTS, TAG
from crypto.signature_base import SignatureInput, parse_signature, parse_signature_input
from crypto.signing import SigningKey
from crypto.structured_fields import BareItem, InnerList, parse_inner_lists, serialize_string
from crypto.verification import VerificationKey

#: What every response signature covers; behind these, `"signature-input";req;key="LABEL"` for each of the request's.
RESPONSE_COMPONENTS: Final = (
    '"@status"',
    '"content-type"',
    '"content-digest"',
    *(f'"{name}";req' for name in COMPONENTS),
)
_MAX_ACCEPT_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Response:
    """A response's signable parts: status code, header fields (as ASGI gives them), body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def field(self, name: bytes) -> bytes | None:
        """Return the one line of a field (lower-case name), or None. Raises FieldSyntaxError if there are several."""
        lines = [value for key, value in self.headers if key.lower() == name]
        if len(lines) > 1:
            raise FieldSyntaxError("duplicate-field", f"{name.decode()} is there {len(lines)} times")
        return lines[0].strip(b" \t") if lines else None


def accept_signature(inputs: Sequence[SignatureInput], *, keyid: str, alg: str, label: str = "sig1") -> str:
    """Return the value of `Accept-Signature` that asks for a response's signature (RFC 9421 §5.1).

    `inputs` are those of the request's own signatures, `keyid` and `alg` the server's key. Raises FieldSyntaxError.
    """
    items = " ".join(_components(inputs))
    return f'{label}=({items});created;keyid={serialize_string(keyid)};alg={serialize_string(alg)};tag="{TAG}"'


def wanted_label(field: bytes, inputs: Sequence[SignatureInput], key: SigningKey) -> str | None:
    """Return the label under which `Accept-Signature` asks for a signature that `key` can give; None if for none.

    A wish for components that we do not sign, for another tag, key or algorithm cannot be met and is passed over
    (RFC 9421 §5.2). Raises FieldSyntaxError.
    """
    known = frozenset(_components(inputs))
    for label, wish in parse_inner_lists(field, max_bytes=_MAX_ACCEPT_BYTES).items():
        if known.issuperset(wish.items) and len(set(wish.items)) == len(wish.items) and _meets(wish, key):
            return label
    return None


def sign_response(
    response: Response, request: Request, inputs: Sequence[SignatureInput], key: SigningKey, *, label: str, created: int
) -> list[tuple[str, str]]:
    """Return the fields to set on the response: content-digest, signature-input, signature, in lower case.

    `inputs` are those of the request's verified signatures; `created` in seconds since the epoch. Raises SigningError.
    """
    digest, components = content_digest(response.body), _components(inputs)
    try:
        content_type = response.field(b"content-type")
        if content_type is None:
            raise SigningError("the response needs a content-type: the signature covers it")
        parameters = (
            f"({' '.join(components)});created={created:d};keyid={serialize_string(key.keyid)}"
            f';alg="{key.algorithm}";tag="{TAG}"'
        )
        if list(parse_inner_lists(f"{label}=()".encode(errors="surrogatepass"))) != [label]:
            raise SigningError(f"not a label: {label!r}")
        base = _base(response.status, content_type, digest.encode(), request, inputs, components, parameters)
    except VerificationError as error:
        raise SigningError(error.detail) from None
    signature = b64encode(key.sign(base)).decode("ascii")
    return [
        ("content-digest", digest),
        ("signature-input", f"{label}={parameters}"),
        ("signature", f"{label}=:{signature}:"),
    ]


def verify_response(
    response: Response,
    request: Request,
    inputs: Sequence[SignatureInput],
    key: VerificationKey,
    *,
    keyid: str,
    label: str = "sig1",
) -> None:
    """Return if the response is the signed answer, by `key`, to the request that carried these signatures.

    Raises FieldSyntaxError, DigestError, ProfileError (no signature, or not what was asked for), InvalidSignature.
    """
    input_field, signature_field = response.field(b"signature-input"), response.field(b"signature")
    if input_field is None or signature_field is None:
        raise ProfileError("missing-signature", "the response is not signed")
    found, signature = parse_signature_input(input_field).get(label), parse_signature(signature_field).get(label)
    if found is None or signature is None:
        raise ProfileError("missing-signature", f"the response has no signature {label}")
    components = _components(inputs)
    if len(found.components) != len(components) or {_quoted(name) for name in found.components} != set(components):
        raise ProfileError("coverage", f"the response's signature covers {' '.join(found.components) or 'nothing'}")
    if found.created is None or found.tag != TAG:
        raise ProfileError("parameter-missing", "the response's signature needs created and our tag")
    if found.unknown or found.expires is not None or found.nonce is not None:
        raise ProfileError("unknown-parameter", "the response's signature has more than created, keyid, alg and tag")
    if found.keyid != keyid:
        raise ProfileError("unknown-key", f"the response is signed by {found.keyid}, not by {keyid}")
    if found.alg != key.algorithm:
        raise ProfileError("algorithm-mismatch", f"the response's alg is {found.alg}, the key's is {key.algorithm}")
    content_type, digest = response.field(b"content-type"), response.field(b"content-digest")
    if content_type is None or digest is None:
        raise ProfileError("coverage", "the response has no content-type or no content-digest")
    verify_content_digest(digest, response.body)
    order = [_quoted(name) for name in found.components]
    base = _base(response.status, content_type, digest, request, inputs, order, found.text)
    try:
        key.verify(signature, base)
    except InvalidSignature as error:
        raise InvalidSignature(detail=f"response: {error.detail}") from None


def _components(inputs: Sequence[SignatureInput]) -> tuple[str, ...]:
    return (*RESPONSE_COMPONENTS, *(f'"signature-input";req;key="{entry.label}"' for entry in inputs))


def _quoted(component: str) -> str:
    name, semicolon, parameters = component.partition(";")
    return f'"{name}"{semicolon}{parameters}'


def _base(
    status: int,
    content_type: bytes,
    digest: bytes,
    request: Request,
    inputs: Sequence[SignatureInput],
    components: Iterable[str],
    parameters: str,
) -> bytes:
    values = {'"@status"': str(status), '"content-type"': _text(content_type), '"content-digest"': _text(digest)}
    for name in COMPONENTS:
        values[f'"{name}";req'] = request.component(name)
    for entry in inputs:
        values[f'"signature-input";req;key="{entry.label}"'] = entry.text
    lines = [f"{component}: {values[component]}" for component in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


def _text(value: bytes) -> str:
    if not value.isascii() or not value.decode("ascii").isprintable():
        raise FieldSyntaxError("malformed-field", "a field of the response is not printable ASCII")
    return value.decode("ascii")


def _meets(wish: InnerList, key: SigningKey) -> bool:
    offered: dict[str, BareItem] = {"created": True, "keyid": key.keyid, "alg": key.algorithm.value, "tag": TAG}
    # The exact types: to `==` a token is the string of its letters.
    return all(
        type(value) is type(offered.get(name)) and value == offered[name] for name, value in wish.parameters.items()
    )
