"""Requests that no example thought of: what is believed is what was signed, and what is signed is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from crypto import (
    COMPONENTS,
    Profile,
    Request,
    SignatureInput,
    SigningError,
    VerificationError,
    open_request,
    parse_signature_input,
    sign_request,
    verify_request,
)
from tests.unit.crypto.mutation import PRINTABLE, keys, mutated
from tests.unit.crypto.signed_message import BODY, ED25519, KEYS, ML_DSA, NOW, UNSIGNED, signed

# One request under both algorithms, signed once: its bytes are what gets mutated.
HYBRID = signed(ML_DSA, ED25519)
SINGLE = signed(ED25519)
OTHER = signed(
    ML_DSA,
    ED25519,
    request=replace(UNSIGNED, method="PUT", path="/", query=""),
    body=b"",
    nonces=["other-0001", "other-0002"],
)
SIGNED = [(HYBRID, BODY), (SINGLE, BODY), (OTHER, b"")]


def covered(request: Request, body: bytes) -> tuple[object, ...]:
    """What a signature covers, worked out without the code under test."""
    host = request.authority.lower()
    host = host.removesuffix(":443") if request.scheme.lower() == "https" else host.removesuffix(":80")
    fields = [
        [value.strip(b" \t") for name, value in request.headers if name.lower() == wanted]
        for wanted in (b"content-type", b"content-digest")
    ]
    return request.method, host.removesuffix(":"), request.path or "/", request.query, fields, body


def promises() -> dict[tuple[str, bytes], tuple[object, ...]]:
    """What each signature that was ever made here covers."""
    made = {}
    for source, body in SIGNED:
        for label in open_request(source, Profile(), NOW).labels:
            made[label.input.text, label.signature] = covered(source, body)
    return made


PROMISES = promises()


def intact(request: Request, body: bytes) -> bool:
    """Whether a request is one that was signed, as far as the profile reads it."""
    fields = [request.field_lines(name) for name in (b"signature-input", b"signature")]
    return (
        request.authority.isascii()
        and len(request.field_lines(b"host")) < 2
        and any(
            covered(request, body) == covered(source, signed_body)
            and fields == [source.field_lines(name) for name in (b"signature-input", b"signature")]
            for source, signed_body in SIGNED
        )
    )


@st.composite
def hostile_requests(draw: st.DrawFn) -> tuple[Request, bytes]:
    """A signed request after a few mutations, some of which splice in parts of others."""
    request, body = draw(st.sampled_from(SIGNED))
    for _ in range(draw(st.integers(1, 2))):
        other, other_body = draw(st.sampled_from(SIGNED))
        headers = list(request.headers)
        place = draw(st.integers(0, len(headers) - 1))
        name, value = headers[place]
        match draw(
            st.sampled_from(["value"] * 3 + ["name", "add", "double", "remove", "order", "splice", "text", "body"])
        ):
            case "value":
                headers[place] = (name, draw(mutated(value)))
            case "name":
                headers[place] = (draw(mutated(name) | st.sampled_from([name.upper(), name.title()])), value)
            case "add":
                headers.insert(place, (draw(st.sampled_from([name, b"x-other"])), draw(st.binary(max_size=20))))
            case "double":
                headers.insert(draw(st.integers(0, len(headers))), (name, value))
            case "remove":
                del headers[place]
            case "order":
                headers = draw(st.permutations(headers))
            case "splice":
                headers[place] = draw(st.sampled_from(other.headers))
            case "text":
                part = draw(st.sampled_from(["method", "authority", "path", "query", "scheme"]))
                old = getattr(request, part)
                new = draw(
                    mutated(old.encode()).map(lambda data: data.decode("latin-1"))
                    | st.text(max_size=20)
                    | st.sampled_from(
                        [getattr(other, part), old.upper(), f"{old}:443", f"{old}/", f" {old}", f"{old}\n"]
                    )
                )
                changes: dict[str, Any] = {part: new}
                request = replace(request, **changes)
            case "body":
                body = draw(mutated(body) | st.just(other_body))
        request = replace(request, headers=tuple(headers))
        if not request.headers:
            break
    return request, body


@settings(max_examples=600)
@given(hostile_requests(), st.just(NOW) | st.just(NOW + 30) | st.just(NOW + 60) | st.integers(NOW - 90, NOW + 90))
def test_what_is_believed_is_what_was_signed(hostile: tuple[Request, bytes], now: int) -> None:
    """Neither more nor less: each label is one that was made, over just these values, and nothing intact is refused."""
    request, body = hostile
    alive = NOW - 5 <= now <= NOW + 65
    try:
        opened = open_request(request, Profile(), now)
        verify_request(opened, body, KEYS)
    except VerificationError as error:
        event(f"refused: {error.reason}")
        assert not (alive and intact(request, body))
        return
    event("believed")
    assert alive
    assert opened.labels
    for label in opened.labels:
        assert PROMISES[label.input.text, label.signature] == covered(request, body)
        assert (label.created, label.expires) == (NOW, NOW + 60)
        assert label.keyid in label.input.text


@given(st.sampled_from([HYBRID, SINGLE]), st.data())
def test_no_single_bit_of_a_signature_field_may_change(source: Request, data: st.DataObject) -> None:
    place = data.draw(
        st.sampled_from(
            [number for number, (name, _) in enumerate(source.headers) if name.startswith((b"signature", b"content-d"))]
        )
    )
    name, value = source.headers[place]
    flipped = bytearray(value)
    flipped[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    headers = (*source.headers[:place], (name, bytes(flipped)), *source.headers[place + 1 :])
    try:
        opened = open_request(replace(source, headers=headers), Profile(), NOW)
        verify_request(opened, BODY, KEYS)
    except VerificationError as error:
        event(f"refused: {error.reason}")
        return
    event("believed")
    # A label is a name that the signature does not cover (RFC 9421 §7.2.5), and a tag can cease to be ours; what is
    # left must have been signed.
    for label in opened.labels:
        assert PROMISES[label.input.text, label.signature] == covered(opened.request, BODY)


@given(
    method=st.text(PRINTABLE, min_size=1, max_size=10),
    authority=st.from_regex(r"\A[a-zA-Z0-9.-]{1,20}(?::[0-9]{1,5})?\Z"),
    path=st.text(PRINTABLE, max_size=40).map(lambda text: f"/{text}"),
    query=st.text(PRINTABLE, max_size=40),
    scheme=st.sampled_from(["http", "https", "HTTPS"]),
    content_type=st.text(PRINTABLE, max_size=40),
    body=st.binary(max_size=200),
    nonce=st.text(PRINTABLE, min_size=8, max_size=128),
    digest=st.sampled_from(["sha-256", "sha-512"]),
)
def test_what_is_signed_is_believed(
    method: str,
    authority: str,
    path: str,
    query: str,
    scheme: str,
    content_type: str,
    body: bytes,
    nonce: str,
    digest: str,
) -> None:
    headers = ((b"Content-Type", content_type.encode()),)
    request = Request(method, authority, path, query, headers, scheme)
    fields = sign_request(request, body, [ED25519], created=NOW, nonces=[nonce], digest=digest)
    sent = replace(request, headers=(*headers, *((name.encode(), value.encode()) for name, value in fields)))
    opened = open_request(sent, Profile(), NOW)
    verify_request(opened, body, KEYS)
    assert opened.labels[0].nonce == nonce


@given(st.text(), st.text(), st.text(), st.text(), st.binary(), st.text())
def test_the_signer_raises_nothing_but_our_errors(
    method: str, authority: str, path: str, query: str, content_type: bytes, nonce: str
) -> None:
    request = Request(method, authority, path, query, ((b"content-type", content_type),))
    try:
        sign_request(request, b"", [ED25519], created=NOW, nonces=[nonce])
    except SigningError:
        event("refused")


@given(
    st.text(max_size=10) | keys,
    st.lists(st.sampled_from(COMPONENTS) | st.text(max_size=10), max_size=6),
    st.none() | st.integers(),
    st.none() | st.text(max_size=20),
)
def test_composing_either_refuses_or_gives_what_is_parsed(
    label: str, components: list[str], created: int | None, nonce: str | None
) -> None:
    try:
        entry = SignatureInput.compose(label, components, created=created, nonce=nonce)
    except VerificationError:
        event("refused")
        return
    event("composed")
    assert parse_signature_input(f"{label}={entry.text}".encode()) == {label: entry}
    assert (entry.components, entry.created, entry.nonce) == (tuple(components), created, nonce)
