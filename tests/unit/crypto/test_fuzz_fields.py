"""Fields that no example thought of: hostile bytes raise our errors alone, and what we accept http-sf reads alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import http_sf
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from crypto import VerificationError, parse_signature, parse_signature_input, verify_content_digest
from crypto.structured_fields import BareItem, Token, parse_byte_sequences, parse_inner_lists
from tests.unit.crypto.mutation import GRAMMAR, PRINTABLE, keys, mutated
from tests.unit.crypto.signed_message import ED25519, ML_DSA, signed

SIGNATURE_INPUT = signed(ML_DSA, ED25519).field(b"signature-input") or b""
RICH = b'a=("x";req "y";key="q\\"";n=-5);t=tok;b=:AA==:;f=?0;s="", b=();*k_1-2.3=999999999999999'

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
