from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import (
    ALGORITHMS,
    FieldSyntaxError,
    MacKey,
    PrivateKey,
    Request,
    Response,
    SessionKeys,
    SignatureAlgorithm,
    SigningError,
    VerificationError,
    content_digest,
    sign_response,
    verify_response,
)
from tests.unit.crypto.signed_answer import (
    ANSWER,
    INPUTS,
    REQUEST,
    SERVER,
    by_hand,
    inputs_of,
    line,
    signed_answer,
    verdict,
    verifier_of,
    with_line,
)
from tests.unit.crypto.signed_message import ED25519, ML_DSA, NOW, replaced, signed, with_field

SESSION = SessionKeys.derive("session-1", bytes(32))
SIGNERS: dict[str, PrivateKey | MacKey] = {
    **{str(name): PrivateKey.from_seed(name, bytes(ALGORITHMS[name].seed_bytes)) for name in SignatureAlgorithm},
    "hmac-sha256": SESSION.server_mac,
}
EVERY_SIGNER = pytest.mark.parametrize("key", SIGNERS.values(), ids=SIGNERS.keys())
GOOD = signed_answer()


@EVERY_SIGNER
def test_what_is_signed_is_believed_of_its_signer_alone(key: PrivateKey | MacKey) -> None:
    answer, verifier = signed_answer(key), verifier_of(key)
    assert verdict(answer, verifier, keyid=key.keyid) == "believed"
    assert verdict(answer, verifier, keyid=SERVER.keyid) == "unknown-key"
    stranger = MacKey(key.keyid, bytes(32)) if isinstance(key, MacKey) else PrivateKey.generate(key.algorithm)
    assert verdict(answer, verifier_of(stranger), keyid=key.keyid) == "invalid-signature"
    assert verdict(by_hand(key).answer(stranger), verifier, keyid=key.keyid) == "invalid-signature"
    assert verdict(by_hand(key).answer(key), verifier, keyid=key.keyid) == "believed"


@EVERY_SIGNER
def test_the_base_is_that_of_the_protocol(key: PrivateKey | MacKey) -> None:
    expected, answer = by_hand(key), signed_answer(key)
    assert line(answer, "signature-input") == f"sig1={expected.input}"
    digest = b64decode(line(answer, "content-digest").removeprefix("sha-256=:").removesuffix(":"))
    assert digest == hashlib.sha256(b'{"accepted": 1}').digest()
    signature = b64decode(line(answer, "signature").removeprefix("sig1=:").removesuffix(":"))
    if isinstance(key, MacKey):
        assert signature == key.sign(expected.base)
    else:
        key.public_key.verify(signature, expected.base)


def test_a_mac_is_of_exactly_these_bytes() -> None:
    key = bytes(range(32))
    answer = signed_answer(MacKey("session-1", key))
    base = by_hand(MacKey("session-1", key)).base
    assert b64decode(line(answer, "signature")[6:-1]) == hmac.digest(key, base, "sha256")
    assert base.count(b"\n") == 11
    assert base.startswith(b'"@status": 201\n"content-type": application/json\n"content-digest": sha-256=:')


def test_all_that_is_returned_is_to_be_set() -> None:
    fields = sign_response(ANSWER, REQUEST, INPUTS, SERVER, label="answer-1", created=NOW)
    assert [name for name, _ in fields] == ["content-digest", "signature-input", "signature"]
    assert fields[0][1] == content_digest(ANSWER.body)
    assert verdict(signed_answer(label="answer-1"), label="answer-1") == "believed"
    assert verdict(signed_answer(label="answer-1")) == "missing-signature"


def test_an_empty_answer_is_signed_too() -> None:
    empty = signed_answer(response=Response(204, ((b"content-type", b"application/octet-stream"),), b""))
    assert verdict(empty) == "believed"
    assert verdict(replace(empty, body=b"\n")) == "digest-mismatch"


CHANGED_ANSWERS: dict[str, tuple[Response, str]] = {
    "status": (replace(GOOD, status=200), "invalid-signature"),
    "type": (with_line(GOOD, "content-type", "text/html"), "invalid-signature"),
    "body": (replace(GOOD, body=b'{"accepted": 2}'), "digest-mismatch"),
    "body and digest": (
        with_line(replace(GOOD, body=b"{}"), "content-digest", content_digest(b"{}")),
        "invalid-signature",
    ),
    "another digest of the body": (
        with_line(GOOD, "content-digest", content_digest(GOOD.body, "sha-512")),
        "invalid-signature",
    ),
    "a wrong digest more": (
        with_line(GOOD, "content-digest", f"{line(GOOD, 'content-digest')}, {content_digest(b'', 'sha-512')}"),
        "digest-mismatch",
    ),
    "no digest": (with_line(GOOD, "content-digest"), "coverage"),
    "an unknown digest": (with_line(GOOD, "content-digest", "md5=:AAAA:"), "digest-missing"),
    "no type": (with_line(GOOD, "content-type"), "coverage"),
    "not signed": (ANSWER, "missing-signature"),
    "no signature": (with_line(GOOD, "signature"), "missing-signature"),
    "no input": (with_line(GOOD, "signature-input"), "missing-signature"),
    "other labels": (
        with_line(GOOD, "signature", line(GOOD, "signature").replace("sig1", "sig2")),
        "missing-signature",
    ),
    "empty signature": (with_line(GOOD, "signature", "sig1=::"), "invalid-signature"),
    "another moment": (
        with_line(GOOD, "signature-input", line(GOOD, "signature-input").replace(str(NOW), str(NOW + 1))),
        "invalid-signature",
    ),
    "a type beyond ASCII": (with_line(GOOD, "content-type", "ä"), "malformed-field"),
    "a line break in the type": (with_line(GOOD, "content-type", "a\nb"), "malformed-field"),
}


@pytest.mark.parametrize(("answer", "reason"), CHANGED_ANSWERS.values(), ids=CHANGED_ANSWERS.keys())
def test_a_changed_answer_is_refused(answer: Response, reason: str) -> None:
    assert verdict(answer) == reason


@pytest.mark.parametrize("name", ["content-type", "content-digest", "signature-input", "signature"])
def test_a_field_on_two_lines_is_refused(name: str) -> None:
    value = line(GOOD, name)
    for values in ([value, value], [value, ""], ["", value]):
        assert verdict(with_line(GOOD, name, *values)) == "duplicate-field"
    upper = replace(GOOD, headers=(*GOOD.headers, (name.upper().encode(), value.encode())))
    assert verdict(upper) == "duplicate-field"


def test_names_in_upper_case_and_white_space_about_values_are_what_http_allows() -> None:
    headers = tuple((name.upper(), b"\t " + value + b" ") for name, value in GOOD.headers)
    assert verdict(replace(GOOD, headers=headers)) == "believed"


def _other_requests() -> dict[str, Request]:
    """What the client may have asked instead, with the same signatures."""
    return {
        "method": replace(REQUEST, method="PUT"),
        "authority": replace(REQUEST, authority="api.example.org"),
        "path": replace(REQUEST, path="/v1/datasets/whether/records"),
        "query": replace(REQUEST, query="dry=0"),
        "type": with_field(REQUEST, "content-type", "text/plain"),
        "digest": with_field(REQUEST, "content-digest", content_digest(b"")),
    }


@pytest.mark.parametrize("request_", _other_requests().values(), ids=_other_requests().keys())
def test_an_answer_to_another_request_is_refused(request_: Request) -> None:
    assert inputs_of(request_) == INPUTS
    assert verdict(GOOD, request=request_) == "invalid-signature"
    assert verdict(signed_answer(request=request_)) == "invalid-signature"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nonce-0000", "nonce-0009"),
        ("nonce-0001", "nonce-0009"),
        (f"created={NOW}", f"created={NOW - 1}"),
        (f"expires={NOW + 60}", f"expires={NOW + 61}"),
        (ED25519.keyid, ML_DSA.keyid[::-1]),
        ('"@path"', '"@request-target"'),
    ],
    ids=["first nonce", "second nonce", "created", "expires", "keyid", "coverage"],
)
def test_an_answer_to_the_same_request_signed_anew_is_refused(old: str, new: str) -> None:
    again = replaced(REQUEST, "signature-input", old, new)
    assert verdict(GOOD, request=again) == "invalid-signature"
    assert verdict(signed_answer(request=again)) == "invalid-signature"


def test_every_label_of_the_request_must_be_covered_and_no_other() -> None:
    first, second = INPUTS
    for fewer in ((first,), (second,), ()):
        assert verdict(signed_answer(inputs=fewer)) == "coverage"
        assert verdict(GOOD, inputs=fewer) == "coverage"
        assert verdict(signed_answer(inputs=fewer), inputs=fewer) == "believed"
    swapped = (replace(first, label="sig2"), replace(second, label="sig1"))
    assert verdict(GOOD, inputs=swapped) == "invalid-signature"
    renamed = (replace(first, label="sig3"), second)
    assert verdict(GOOD, inputs=renamed) == "coverage"
    assert verdict(GOOD, inputs=(second, first)) == "believed", "the order is the signer's"


@given(st.permutations(by_hand().components))
def test_components_may_come_in_any_order(components: list[tuple[str, str]]) -> None:
    assert verdict(replace(by_hand(), components=tuple(components)).answer()) == "believed"


@pytest.mark.parametrize("place", range(len(by_hand().components)))
def test_none_of_the_components_may_lack_or_be_there_twice(place: int) -> None:
    components = by_hand().components
    assert verdict(replace(by_hand(), components=components[:place] + components[place + 1 :]).answer()) == "coverage"
    for twice in (components[place], components[place - 1]):
        changed = replace(by_hand(), components=(*components[:place], twice, *components[place:]))
        assert verdict(changed.answer()) == "coverage"
    exchanged = replace(by_hand(), components=(*components[:place], components[place - 1], *components[place + 1 :]))
    assert verdict(exchanged.answer()) == "coverage"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"@method";req', '"@method"'),
        ('"content-type"', '"content-type";req'),
        ('"content-type";req', '"content-type";req;sf'),
        ('"@query";req', '"@query";req=?0'),
        ('"signature-input";req;key="sig1"', '"signature-input";key="sig1";req'),
        ('"signature-input";req;key="sig1"', '"signature-input";req'),
        ('"signature-input";req;key="sig2"', '"signature";req;key="sig2"'),
        ('"@status"', '"status"'),
        ('"content-digest"', '"content-digest";key="sha-256"'),
    ],
)
def test_other_components_are_refused(old: str, new: str) -> None:
    assert old in dict(by_hand().components)
    components = tuple((new if name == old else name, value) for name, value in by_hand().components)
    assert verdict(replace(by_hand(), components=components).answer()) == "coverage"
    more = replace(by_hand(), components=(*by_hand().components, (new, "x")))
    assert verdict(more.answer()) == "coverage"


KEYID = f';keyid="{SERVER.keyid}"'
OTHER_PARAMETERS: dict[str, tuple[str, str, str]] = {
    "unknown": ('"secure-api"', '"secure-api";x=1', "unknown-parameter"),
    "expires": ('"secure-api"', f'"secure-api";expires={NOW + 60}', "unknown-parameter"),
    "nonce": ('"secure-api"', '"secure-api";nonce="nonce-0000"', "unknown-parameter"),
    "no created": (f";created={NOW}", "", "parameter-missing"),
    "another tag": ('"secure-api"', '"secure-apj"', "parameter-missing"),
    "no tag": (';tag="secure-api"', "", "parameter-missing"),
    "tag as a token": ('"secure-api"', "secure-api", "malformed-field"),
    "created as text": (f"created={NOW}", f'created="{NOW}"', "malformed-field"),
    "another keyid": (KEYID, ';keyid="another"', "unknown-key"),
    "no keyid": (KEYID, "", "unknown-key"),
    "another alg": ('"ed25519"', '"ml-dsa-65"', "algorithm-mismatch"),
    "hmac": ('"ed25519"', '"hmac-sha256"', "algorithm-mismatch"),
    "no alg": (';alg="ed25519"', "", "algorithm-mismatch"),
    "a parameter twice": ('"secure-api"', f'"secure-api";created={NOW}', "malformed-field"),
    "another order": (f";created={NOW}{KEYID}", f"{KEYID};created={NOW}", "believed"),
}


@pytest.mark.parametrize(("old", "new", "reason"), OTHER_PARAMETERS.values(), ids=OTHER_PARAMETERS.keys())
def test_parameters_are_held_against_what_was_asked(old: str, new: str, reason: str) -> None:
    parameters = by_hand().parameters
    assert old in parameters
    assert verdict(replace(by_hand(), parameters=parameters.replace(old, new)).answer()) == reason


def test_labels_of_others_are_ignored() -> None:
    for theirs in ('proxy=("@status");tag="proxy"', 'sig0=();x=1, sig2=("date" "x";sf);created=1;expires=2;alg="rsa"'):
        labels = [entry.partition("=")[0] for entry in theirs.split(", ")]
        signatures = ", ".join(f"{label}=:AAAA:" for label in labels)
        for form in ("{1}, {0}", "{0}, {1}", "{0},\t{1}"):
            answer = with_line(GOOD, "signature-input", form.format(line(GOOD, "signature-input"), theirs))
            answer = with_line(answer, "signature", form.format(line(GOOD, "signature"), signatures))
            assert verdict(answer) == "believed"
            assert verdict(answer, label=labels[0]) == "coverage"
    twice = with_line(GOOD, "signature-input", f"{line(GOOD, 'signature-input')}, {line(GOOD, 'signature-input')}")
    assert verdict(twice) == "duplicate-label"


def test_the_directions_of_a_session_are_not_exchanged() -> None:
    """The client's own key, which signs its requests under the same keyid, signs no answer."""
    echoed = signed_answer(SESSION.client_mac)
    assert verdict(echoed, SESSION.client_mac, keyid="session-1") == "believed"
    assert verdict(echoed, SESSION.server_mac, keyid="session-1") == "invalid-signature"


def test_no_request_signature_is_an_answers() -> None:
    """Nor is a request that the server signed, were it a client of another: its base has other components."""
    request = signed(SERVER)
    answer = with_line(GOOD, "signature-input", request.field(b"signature-input") or b"")
    answer = with_line(answer, "signature", request.field(b"signature") or b"")
    assert verdict(answer) == "coverage"


FIELDS = st.sampled_from(["content-type", "content-digest", "signature-input", "signature"])
GARBAGE = st.binary(max_size=60) | st.text(st.characters(codec="ascii"), max_size=60).map(str.encode)


@given(name=FIELDS, garbage=GARBAGE, data=st.data())
def test_a_fuzzed_field_is_refused_and_nothing_worse(name: str, garbage: bytes, data: st.DataObject) -> None:
    value = line(GOOD, name).encode()
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    changed = value[:start] + garbage + value[end:]
    answer = with_line(GOOD, name, changed)
    # What still means the same: white space about the value, and labels or digests of others that hypothesis finds.
    if changed.strip(b" \t") != value and b"," not in garbage:
        with pytest.raises(VerificationError):
            verify_response(answer, REQUEST, INPUTS, SERVER.public_key, keyid=SERVER.keyid)


UNSIGNABLE: dict[str, tuple[Response, Request, str]] = {
    "no type": (with_line(ANSWER, "content-type"), REQUEST, "content-type"),
    "two types": (with_line(ANSWER, "content-type", "a/b", "a/b"), REQUEST, "2 times"),
    "a type beyond ASCII": (with_line(ANSWER, "content-type", "ä"), REQUEST, "printable ASCII"),
    "a line break in the type": (with_line(ANSWER, "content-type", "a\r\nb"), REQUEST, "printable ASCII"),
    "a request without digest": (ANSWER, with_field(REQUEST, "content-digest"), "content-digest"),
    "a request with a line break": (ANSWER, replace(REQUEST, path="/a\nb"), "printable ASCII"),
}


@pytest.mark.parametrize(("answer", "request_", "match"), UNSIGNABLE.values(), ids=UNSIGNABLE.keys())
def test_what_cannot_be_signed_is_refused(answer: Response, request_: Request, match: str) -> None:
    with pytest.raises(SigningError, match=match):
        sign_response(answer, request_, INPUTS, SERVER, label="sig1", created=NOW)


@pytest.mark.parametrize("label", ["", "Sig1", "a b", "sig1\r\nx: y", "a=();b", "a=(), b", "1a", "ä", "\ud800"])
def test_what_is_no_label_signs_nothing(label: str) -> None:
    with pytest.raises(SigningError):
        sign_response(ANSWER, REQUEST, INPUTS, SERVER, label=label, created=NOW)


def test_a_keyid_that_no_field_can_hold_signs_nothing() -> None:
    for keyid in ("ä", "a\nb"):
        with pytest.raises(SigningError):
            sign_response(ANSWER, REQUEST, INPUTS, MacKey(keyid, bytes(32)), label="sig1", created=NOW)


def test_a_field_of_a_response_is_one_line() -> None:
    response = Response(200, ((b"Via", b" a "), (b"via", b"b"), (b"date", b"\tnow ")), b"")
    assert response.field(b"date") == b"now"
    assert response.field(b"age") is None
    with pytest.raises(FieldSyntaxError, match="via is there 2 times"):
        response.field(b"via")
