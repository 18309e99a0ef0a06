"""Wishes for a signed answer, RFC 9421 §5: how they are written, and which of them are met."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import FieldSyntaxError, MacKey, accept_signature, parse_signature_input, wanted_label
from tests.unit.crypto.signed_answer import INPUTS, SERVER, by_hand, line, signed_answer, verdict

ALL = " ".join(name for name, _ in by_hand().components)
SESSION = MacKey("session-1", bytes(32))


def met(field: str | bytes) -> str | None:
    """The label under which the server would sign."""
    return wanted_label(field.encode() if isinstance(field, str) else field, INPUTS, SERVER)


def test_the_wish_is_that_of_the_protocol() -> None:
    wish = accept_signature(INPUTS, keyid=SERVER.keyid, alg="ed25519")
    assert wish == f'sig1=({ALL});created;keyid="{SERVER.keyid}";alg="ed25519";tag="secure-api"'
    assert met(wish) == "sig1"


def test_what_is_asked_for_is_what_is_given() -> None:
    wish = accept_signature(INPUTS, keyid=SERVER.keyid, alg="ed25519", label="answer-1")
    label = met(wish)
    assert label == "answer-1"
    answer = signed_answer(label=label)
    assert line(answer, "signature-input").partition(";created")[0] == wish.partition(";created")[0]
    assert verdict(answer, label=label) == "believed"


def test_a_keyid_that_no_field_can_hold_asks_for_nothing() -> None:
    with pytest.raises(FieldSyntaxError):
        accept_signature(INPUTS, keyid="a\r\nb", alg="ed25519")
    with pytest.raises(FieldSyntaxError):
        accept_signature(INPUTS, keyid="a", alg="ä")
    assert accept_signature(INPUTS, keyid='a"b', alg="x").endswith(';keyid="a\\"b";alg="x";tag="secure-api"')


MET = {
    "everything": f"sig1=({ALL})",
    "one component": 'sig1=("@status")',
    "nothing in particular": "sig1=()",
    "another order": 'sig1=("content-digest" "@status")',
    "of the request": 'sig1=("@method";req "signature-input";req;key="sig2")',
    "created": 'sig1=("@status");created',
    "tag": 'sig1=("@status");tag="secure-api"',
    "keyid": f'sig1=("@status");keyid="{SERVER.keyid}"',
    "alg": 'sig1=("@status");alg="ed25519"',
    "all parameters": f'sig1=("@status");tag="secure-api";alg="ed25519";keyid="{SERVER.keyid}";created',
    "behind a stranger's": 'proxy=("@status");tag="proxy", sig1=("@status");tag="secure-api"',
    "behind what we do not cover": 'sig0=("date"), sig1=("@status")',
    "before others": 'sig1=("@status"), sig2=("@status")',
    "white space between": 'sig0=("date")\t , sig1=("@status")',
}


@pytest.mark.parametrize("field", MET.values(), ids=MET.keys())
def test_wishes_that_are_met(field: str) -> None:
    assert met(field) == "sig1"


def test_the_label_is_the_askers() -> None:
    for label in ("a", "*", "sig-1.x_y*", "b" * 100):
        assert met(f"{label}=()") == label
        assert verdict(signed_answer(label=label), label=label) == "believed"


PASSED_OVER = {
    "a stranger's tag": 'sig1=("@status");tag="proxy"',
    "the tag as a token": 'sig1=("@status");tag=secure-api',
    "no tag, said so": 'sig1=("@status");tag=?0',
    "another key": 'sig1=("@status");keyid="another"',
    "another algorithm": 'sig1=("@status");alg="ml-dsa-65"',
    "the algorithm as a token": 'sig1=("@status");alg=ed25519',
    "a mac": 'sig1=("@status");alg="hmac-sha256"',
    "a nonce": 'sig1=("@status");nonce="12345678"',
    "expires": 'sig1=("@status");expires',
    "created not": 'sig1=("@status");created=?0',
    "created then": 'sig1=("@status");created=1800000000',
    "created one": 'sig1=("@status");created=1',
    "an unknown parameter": 'sig1=("@status");x',
    "a field that we do not cover": 'sig1=("@status" "date")',
    "the request's own without req": 'sig1=("@method")',
    "a signature": 'sig1=("signature";req;key="sig1")',
    "the input of another label": 'sig1=("signature-input";req;key="sig3")',
    "the input of every label": 'sig1=("signature-input";req)',
    "parameters the other way round": 'sig1=("signature-input";key="sig1";req)',
    "req not": 'sig1=("@method";req=?0)',
    "a component twice": 'sig1=("@status" "@status")',
    "a component as bytes": 'sig1=("content-type";bs)',
    "a trailer": 'sig1=("content-digest";tr)',
    "upper case": 'sig1=("Content-Type")',
}


@pytest.mark.parametrize("field", PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_wishes_that_cannot_be_met_are_passed_over(field: str) -> None:
    assert met(field) is None
    assert met(f'{field}, sig2=("@status")') == "sig2"


MALFORMED = {
    "empty": "",
    "white space": " ",
    "no list": "sig1",
    "a string": 'sig1="@status"',
    "a token in the list": "sig1=(@status)",
    "an open list": 'sig1=("@status"',
    "an open string": 'sig1=("@status)',
    "white space in the list": 'sig1=( "@status")',
    "two spaces": 'sig1=("@status"  "content-type")',
    "a comma in the list": 'sig1=("@status", "content-type")',
    "a comma behind": 'sig1=("@status"),',
    "upper-case label": 'Sig1=("@status")',
    "label twice": 'sig1=("@status"), sig1=("date")',
    "parameter twice": 'sig1=("@status");created;created',
    "true spelled out": 'sig1=("@status");created=?1',
    "decimal": 'sig1=("@status");created=1.0',
    "too many labels": ", ".join(f"sig{number}=()" for number in range(17)),
    "too many components": 'sig1=("@status"' + ' "date"' * 64 + ")",
    "too large": 'sig1=("' + "a" * 4_096 + '")',
    "beyond ASCII": 'sig1=("ä")',
    "NUL": 'sig1=("@status")\0',
    "a line break": 'sig1=("@status")\n',
}


@pytest.mark.parametrize("field", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_malformed_is_refused(field: str) -> None:
    with pytest.raises(FieldSyntaxError):
        met(field)
    if len(field) < 4_000:
        with pytest.raises(FieldSyntaxError):
            met(f"sig0=(), {field}")


def test_within_a_session_the_key_is_the_sessions() -> None:
    wish = accept_signature(INPUTS, keyid="session-1", alg="hmac-sha256")
    assert wanted_label(wish.encode(), INPUTS, SESSION) == "sig1"
    assert met(wish) is None
    assert wanted_label(accept_signature(INPUTS, keyid=SERVER.keyid, alg="ed25519").encode(), INPUTS, SESSION) is None


def test_a_wish_for_labels_that_the_request_does_not_have_is_passed_over() -> None:
    wish = accept_signature(INPUTS, keyid=SERVER.keyid, alg="ed25519").encode()
    assert wanted_label(wish, INPUTS[:1], SERVER) is None
    assert wanted_label(wish, INPUTS[::-1], SERVER) == "sig1"


@given(st.binary(max_size=80) | st.text(st.characters(codec="ascii"), max_size=80).map(str.encode))
def test_arbitrary_fields_raise_our_errors_alone(field: bytes) -> None:
    try:
        label = met(b"sig1=(" + field)
    except FieldSyntaxError as error:
        assert error.reason in {"malformed-field", "field-too-large", "too-many-labels", "duplicate-label"}  # noqa: PT017
    else:
        assert label is None or list(parse_signature_input(f"{label}=()".encode())) == [label]
