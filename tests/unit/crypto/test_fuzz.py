"""What no example thought of: hostile bytes raise our errors and no others, and what is believed is what was signed."""

from __future__ import annotations

from base64 import b64decode, encodebytes
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import http_sf
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from crypto import (
    ALGORITHMS,
    COMPONENTS,
    CryptoError,
    InvalidSignature,
    PrivateKey,
    Profile,
    PublicKey,
    Request,
    SignatureInput,
    SigningError,
    VerificationError,
    open_request,
    parse_signature,
    parse_signature_input,
    sign_request,
    verify_content_digest,
    verify_request,
)
from crypto.structured_fields import BareItem, Token, parse_byte_sequences, parse_inner_lists
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
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
GRAMMAR = 'sig1=("@method" "content-type";req);created=1;nonce="a\\"b";t=tok;b=:AA==:;f=?0, \t\n\x00é*-_.'

keys = st.from_regex(r"\A[a-z*][a-z0-9_.*-]{0,8}\Z")
bare_items: st.SearchStrategy[BareItem] = st.one_of(
    st.booleans(),
    st.integers(-999_999_999_999_999, 999_999_999_999_999),
    st.text(PRINTABLE, max_size=12),
    st.from_regex(r"\A[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]{0,8}\Z").map(Token),
    st.binary(max_size=12),
)
parameters = st.dictionaries(keys, bare_items, max_size=5)
inner_lists = st.tuples(st.lists(st.tuples(st.text(PRINTABLE, max_size=12), parameters), max_size=5), parameters)


def theirs(value: BareItem) -> object:
    """The value as `http-sf` wants it: it has a token type of its own."""
    return http_sf.Token(value) if isinstance(value, Token) else value


def their_parameters(values: dict[str, BareItem]) -> dict[str, object]:
    return {key: theirs(value) for key, value in values.items()}


def parsed_by_http_sf(field: bytes) -> dict[str, Any]:
    parsed = http_sf.parse(field, tltype="dictionary")
    assert isinstance(parsed, dict)
    return parsed


def assert_read_alike(field: bytes) -> None:
    """Both parsers read the field to the same members; ours has accepted it."""
    ours, other = parse_inner_lists(field), parsed_by_http_sf(field)
    assert list(ours) == list(other)
    for label, member in ours.items():
        items, values = other[label]
        assert typed(member.parameters) == typed(values)
        assert [(value, typed(values)) for value, values in items] == [one_item(text) for text in member.items]
        # What we call the text is what a serializer would write: the signature base needs no other form.
        assert http_sf.ser({label: (items, values)}) == f"{label}={member.text}"


def one_item(text: str) -> tuple[str, list[tuple[str, str, object]]]:
    parsed: Any = http_sf.parse(text.encode(), tltype="item")
    value, values = parsed
    assert isinstance(value, str)
    return value, typed(values)


def typed(values: Any) -> list[tuple[str, str, object]]:
    """Parameters with the names of their types, so that a token is no string and True is not 1."""
    return [(key, type(value).__name__, str(value)) for key, value in values.items()]


# The parsers


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(GRAMMAR, max_size=200).map(str.encode))
@example(b"")
@example(b"sig1=(")
@example(b'sig1=("a"' + b";a" * 200 + b"=")
def test_parsers_raise_nothing_but_our_errors(field: bytes) -> None:
    readers: list[Callable[[bytes], object]] = [
        parse_inner_lists,
        parse_byte_sequences,
        parse_signature_input,
        parse_signature,
        lambda field: verify_content_digest(field, b""),
    ]
    for read in readers:
        try:
            read(field)
        except VerificationError as error:
            event(f"refused: {error.reason}")


@given(st.dictionaries(keys, inner_lists, min_size=1, max_size=4))
def test_the_canonical_form_of_every_inner_list_is_read(members: dict[str, Any]) -> None:
    structure: Any = {
        label: ([(value, their_parameters(values)) for value, values in items], their_parameters(own))
        for label, (items, own) in members.items()
    }
    assert_read_alike(http_sf.ser(structure).encode("ascii"))


@given(st.dictionaries(keys, st.binary(max_size=40), min_size=1, max_size=4))
def test_the_canonical_form_of_every_byte_sequence_is_read(members: dict[str, bytes]) -> None:
    field = http_sf.ser({label: (value, {}) for label, value in members.items()}).encode("ascii")
    assert parse_byte_sequences(field) == members


@st.composite
def mutated(draw: st.DrawFn, source: bytes) -> bytes:
    """The bytes after a few flips, splices, doublings, cuts and insertions, as likely small as large."""
    data = bytearray(source)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + draw(st.sampled_from([1, 8, 400])))))
        match draw(st.sampled_from(["flip", "insert", "remove", "double", "move", "cut", "case"])):
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                data[start:start] = draw(
                    st.binary(min_size=1, max_size=4) | st.text(GRAMMAR, min_size=1, max_size=4).map(str.encode)
                )
            case "remove":
                del data[start:end]
            case "double":
                data[start:start] = data[start:end]
            case "move":
                piece = bytes(data[start:end])
                del data[start:end]
                place = draw(st.integers(0, len(data)))
                data[place:place] = piece
            case "cut":
                del data[start:]
            case "case":
                data[start:end] = data[start:end].swapcase()
    return bytes(data)


SIGNATURE_INPUT = HYBRID.field(b"signature-input") or b""
RICH = b'a=("x";req "y";key="q\\"";n=-5);t=tok;b=:AA==:;f=?0;s="", b=();*k_1-2.3=999999999999999'


@settings(max_examples=300)
@given(st.sampled_from([SIGNATURE_INPUT, RICH]).flatmap(mutated))
def test_what_our_parser_accepts_http_sf_reads_alike(field: bytes) -> None:
    try:
        parse_inner_lists(field)
    except VerificationError:
        event("refused")
        return
    event("accepted")
    assert_read_alike(field)


@given(st.sampled_from([b"sig1=:AAEC:, sig2=:AA==:", b"sha-256=:AAE=:,sha-512=::"]).flatmap(mutated))
def test_what_our_parser_accepts_of_byte_sequences_http_sf_reads_alike(field: bytes) -> None:
    try:
        ours = parse_byte_sequences(field)
    except VerificationError:
        event("refused")
        return
    event("accepted")
    assert {label: (value, {}) for label, value in ours.items()} == parsed_by_http_sf(field)


# The verifier


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


# The signer


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


# Keys

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from([ED25519.public_key.jwk(), ML_DSA.public_key.jwk(), {}]),
    st.dictionaries(
        st.sampled_from(["kty", "crv", "alg", "x", "pub", "priv", "d", "use", "key_ops", "kid"]) | st.text(max_size=5),
        json_values | st.sampled_from(["AKP", "OKP", "Ed25519", "EdDSA", "ML-DSA-44", "sig", ["verify"]]),
        max_size=4,
    ),
)
def test_jwks_raise_nothing_but_our_errors(valid: dict[str, object], changes: dict[str, object]) -> None:
    members = {**valid, **changes}
    try:
        key = PublicKey.from_jwk(members)
    except CryptoError:
        event("refused")
        return
    event("read")
    assert key.jwk().items() <= {"alg": members.get("alg"), **members}.items()
    assert len(key.raw) == ALGORITHMS[key.algorithm].public_key_bytes


PEMS = [key.pem(None) for key in (ED25519, ML_DSA)] + [key.public_key.pem() for key in (ED25519, ML_DSA)]
ENCRYPTED = ED25519.pem(b"passphrase")


@st.composite
def hostile_pems(draw: st.DrawFn) -> bytes:
    """A key file whose text, or whose DER inside, is mutated."""
    pem = draw(st.sampled_from([*PEMS, ENCRYPTED]))
    if draw(st.booleans()):
        return draw(mutated(pem))
    first, *lines, last = pem.splitlines()
    der = draw(mutated(b64decode(b"".join(lines))) | st.binary(max_size=80))
    return b"\n".join([first, encodebytes(der).strip(), last])


@given(hostile_pems() | st.binary(max_size=200), st.sampled_from([None, b"passphrase", b"other", b""]))
def test_key_files_raise_nothing_but_our_errors(pem: bytes, passphrase: bytes | None) -> None:
    for read in (PublicKey.from_pem, lambda pem: PrivateKey.from_pem(pem, passphrase)):
        try:
            key = read(pem)
        except CryptoError as error:
            event(f"refused: {type(error).__name__}")
        else:
            event("read")
            assert key.keyid in repr(key)


@given(st.sampled_from([ED25519, ML_DSA]), st.data(), st.binary(max_size=40))
def test_random_signatures_are_refused(key: PrivateKey, data: st.DataObject, message: bytes) -> None:
    length = ALGORITHMS[key.algorithm].signature_bytes
    signature = data.draw(st.binary(max_size=100) | st.binary(min_size=length, max_size=length))
    with pytest.raises(InvalidSignature):
        key.public_key.verify(signature, message)
