"""The short way through a usual request gives what the long way gives, and takes nothing else."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto import (
    COMPONENTS,
    FieldSyntaxError,
    Request,
    SignatureInput,
    VerificationError,
    parse_signature,
    parse_signature_input,
    signature_base,
)
from crypto.usual_input import read_usual_input, read_usual_signature

USUAL = SignatureInput.compose(
    "sig1",
    COMPONENTS,
    created=1_795_386_600,
    expires=1_795_386_660,
    nonce="Zm9ydHktdHdvIGJ5dGVz",
    keyid="k" * 43,
    alg="ml-dsa-65",
    tag="secure-api",
)
FIELD = f"sig1={USUAL.text}".encode()
INTERESTING = b'";=()\\, \t:?*-0129azAZ@\x00\n\x7f\xff'


def long_way(field: bytes) -> dict[str, SignatureInput] | None:
    try:
        return parse_signature_input(field)
    except FieldSyntaxError:
        return None


def test_the_usual_form_takes_the_short_way() -> None:
    assert read_usual_input(FIELD) == USUAL == parse_signature_input(FIELD)["sig1"]


@given(
    st.integers(0, len(FIELD) - 1),
    st.integers(0, 3),
    st.lists(st.sampled_from(INTERESTING), max_size=3).map(bytes),
)
@example(9, 0, b"")
@example(len(FIELD) - 1, 1, b'";x=1')
def test_whatever_the_short_way_takes_the_long_way_reads_alike(at: int, cut: int, insert: bytes) -> None:
    field = FIELD[:at] + insert + FIELD[at + cut :]
    short = read_usual_input(field)
    if short is not None:
        assert long_way(field) == {short.label: short}


@given(st.integers(-(10**16), 10**16), st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7F), max_size=40))
def test_numbers_and_strings(number: int, text: str) -> None:
    field = FIELD.replace(b"1795386660", str(number).encode()).replace(b"Zm9ydHktdHdvIGJ5dGVz", text.encode())
    short, long = read_usual_input(field), long_way(field)
    if short is not None:
        assert long == {short.label: short}
    elif long is not None:
        assert "\\" in text, "only what is escaped takes the long way"


@given(st.binary(max_size=80), st.sampled_from(["sig1", "sig", "s", "other"]), st.binary(max_size=3))
def test_signatures(data: bytes, label: str, tail: bytes) -> None:
    field = b"sig1=:" + b64encode(data) + b":" + tail
    try:
        long = parse_signature(field)
    except FieldSyntaxError:
        long = {}
    short = read_usual_signature(field, label)
    if short is not None:
        assert long == {label: short}
    elif label in long:
        assert len(long) > 1 or tail


@pytest.mark.parametrize(
    "field", [b"", b":", b"sig1", b"sig1=", b"sig1=:", b"sig1=:AA", b"sig1=:A:", b"sig1=:\xff\xff\xff\xff:"]
)
def test_what_is_no_signature(field: bytes) -> None:
    assert read_usual_signature(field, "sig1") is None


VALUES = st.text(st.characters(max_codepoint=0x17F), max_size=12)


@given(VALUES, VALUES, VALUES, VALUES, st.lists(VALUES, max_size=2), st.lists(VALUES, max_size=2))
@example("GET", "A.example:80", "/a|b", "", [" text/plain\t"], ["sha-256=:x|y:"])
@example("GET", "host", "/", "a=b", ["a\nb"], ["x"])
@example("GET", "host", "/", "a=b", ["a\tb"], ["x"])
def test_the_base_of_the_usual_components_is_that_of_each(
    method: str, authority: str, path: str, query: str, types: list[str], digests: list[str]
) -> None:
    lines = [(b"content-type", value.encode()) for value in types] + [(b"Content-Digest", v.encode()) for v in digests]
    request = Request(method, authority, path, query, tuple(lines), "http")
    try:
        expected = "\n".join(f'"{name}": {request.component(name)}' for name in COMPONENTS)
    except VerificationError:
        expected = None
    usual = request.usual_components()
    if usual is not None:
        assert usual == expected
        assert signature_base(request, USUAL) == f'{usual}\n"@signature-params": {USUAL.text}'.encode()
    elif expected is not None:
        assert "\t" in expected or not path or len(types) > 1 or len(digests) > 1
