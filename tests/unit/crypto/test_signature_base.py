from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crypto import (
    FieldSyntaxError,
    ProfileError,
    Request,
    SignatureInput,
    parse_signature,
    parse_signature_input,
    signature_base,
)

# The request and three of the signature bases of RFC 9421 §B.2.
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
RFC_9421 = Request(
    "POST",
    "example.com",
    "/foo",
    "param=Value&Pet=dog",
    (
        (b"host", b"example.com"),
        (b"date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
        (b"content-type", b"application/json"),
        (b"content-digest", DIGEST.encode()),
        (b"content-length", b"18"),
    ),
)


def _base(field: str, request: Request = RFC_9421) -> str:
    (entry,) = parse_signature_input(field.encode()).values()
    return signature_base(request, entry).decode()


def test_the_minimal_base_of_rfc_9421() -> None:
    parameters = '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"'
    assert _base(f"sig-b21={parameters}") == f'"@signature-params": {parameters}'


def test_the_selective_base_of_rfc_9421_without_its_query_parameter() -> None:
    parameters = '("@authority" "content-digest");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"'
    assert _base(f"sig-b22={parameters}") == (
        f'"@authority": example.com\n"content-digest": {DIGEST}\n"@signature-params": {parameters}'
    )


def test_the_base_of_rfc_9421_for_ed25519() -> None:
    parameters = (
        '("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )
    assert _base(f"sig-b26={parameters}") == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@method": POST\n'
        '"@path": /foo\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"content-length": 18\n'
        f'"@signature-params": {parameters}'
    )


def test_every_derived_component_has_its_line() -> None:
    names = ("@method", "@authority", "@path", "@query", "@scheme", "@request-target", "@target-uri")
    quoted = " ".join(f'"{name}"' for name in names)
    assert _base(f"sig=({quoted})").splitlines() == [
        '"@method": POST',
        '"@authority": example.com',
        '"@path": /foo',
        '"@query": ?param=Value&Pet=dog',
        '"@scheme": https',
        '"@request-target": /foo?param=Value&Pet=dog',
        '"@target-uri": https://example.com/foo?param=Value&Pet=dog',
        f'"@signature-params": ({quoted})',
    ]


def test_an_empty_value_leaves_the_space() -> None:
    request = replace(RFC_9421, headers=((b"x", b""),))
    assert _base('sig=("x")', request) == '"x": \n"@signature-params": ("x")'


def test_parameters_are_kept_in_their_order_and_spelling() -> None:
    parameters = '();tag="a";expires=2;nonce="\\"\\\\";created=1;alg="x";keyid=""'
    assert _base(f"sig={parameters}") == f'"@signature-params": {parameters}'


@pytest.mark.parametrize(
    ("components", "message"),
    [
        ('"@method" "@method"', "covered twice"),
        ('"date" "@method" "date"', "covered twice"),
        ('"x"', "no field x"),
        ('"@status"', "not known"),
        ('"@query-param";name="Pet"', "not known"),
        ('"date";sf', "parameters"),
        ('"date";bs', "parameters"),
        ('"@method";req', "not known"),
        ('"@signature-params"', "not known"),
    ],
)
def test_components_that_cannot_be_derived_are_refused(components: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message) as caught:
        _base(f"sig=({components})")
    assert caught.value.reason == "coverage"


def test_a_member_is_read_into_its_parameters() -> None:
    text = (
        '("@method" "content-digest";req "@query-param";name="x");created=1;expires=-2;nonce="n";keyid="k";alg="a"'
        ';tag="t";b;a=1'
    )
    assert parse_signature_input(f"sig1={text}, sig2=()".encode()) == {
        "sig1": SignatureInput(
            label="sig1",
            components=("@method", "content-digest;req", '@query-param;name="x"'),
            text=text,
            created=1,
            expires=-2,
            nonce="n",
            keyid="k",
            alg="a",
            tag="t",
            unknown=("a", "b"),
        ),
        "sig2": SignatureInput(label="sig2", components=(), text="()"),
    }


@pytest.mark.parametrize("name", ["created", "expires"])
@pytest.mark.parametrize("value", ["", '="1"', "=?0", "=a", "=:AA==:"])
def test_times_are_integers(name: str, value: str) -> None:
    with pytest.raises(FieldSyntaxError, match=f"{name} is not an integer"):
        parse_signature_input(f"sig=();{name}{value}".encode())


@pytest.mark.parametrize("name", ["nonce", "keyid", "alg", "tag"])
@pytest.mark.parametrize("value", ["", "=1", "=?0", "=a", "=:AA==:"])
def test_names_are_strings(name: str, value: str) -> None:
    with pytest.raises(FieldSyntaxError, match=f"{name} is not a string"):
        parse_signature_input(f"sig=();{name}{value}".encode())


@pytest.mark.parametrize(
    "name", ["", "@", "Date", "@Method", "a b", "a:b", "@@method", "a@b", '\\"date\\"', "a;b", "é"]
)
def test_names_that_no_component_has_are_refused(name: str) -> None:
    with pytest.raises(FieldSyntaxError) as caught:
        parse_signature_input(f'sig=("{name}")'.encode())
    assert caught.value.reason == "malformed-field"


def test_signatures_are_read_by_label() -> None:
    assert parse_signature(b"sig1=:AAEC:, sig2=::") == {"sig1": bytes([0, 1, 2]), "sig2": b""}


@pytest.mark.parametrize("parse", [parse_signature_input, parse_signature])
@pytest.mark.parametrize(
    ("limit", "field", "reason"),
    [
        (2, b"a=X, b=X, c=X", "too-many-labels"),
        (3, b"a=X, b=X, a=X", "duplicate-label"),
        (3, b"", "malformed-field"),
        (3, b"a=X, ", "malformed-field"),
        (3, b"a=\xff", "malformed-field"),
    ],
)
def test_labels_are_few_and_different(
    parse: Callable[..., dict[str, object]], limit: int, field: bytes, reason: str
) -> None:
    member = b"()" if parse is parse_signature_input else b"::"
    with pytest.raises(FieldSyntaxError) as caught:
        parse(field.replace(b"X", member), max_labels=limit)
    assert caught.value.reason == reason


def test_a_composed_member_is_the_one_that_is_read() -> None:
    entry = SignatureInput.compose(
        "sig1",
        ["@method", "content-type", '@query-param;name="a"'],
        created=1,
        expires=61,
        nonce='"\\',
        keyid="k",
        alg="ed25519",
        tag="t",
    )
    assert entry.text == (
        '("@method" "content-type" "@query-param";name="a");created=1;expires=61;nonce="\\"\\\\";keyid="k"'
        ';alg="ed25519";tag="t"'
    )
    assert entry.nonce == '"\\'
    assert parse_signature_input(f"sig1={entry.text}".encode()) == {"sig1": entry}
    assert SignatureInput.compose("s", []).text == "()"
    assert SignatureInput.compose("s", [], created=0, nonce="").text == '();created=0;nonce=""'


@pytest.mark.parametrize(
    ("label", "components", "parameters"),
    [
        ("", [], {}),
        ("Sig", [], {}),
        ("a b", [], {}),
        ("a=(), b", [], {}),
        ("a=(),b", [], {}),
        ("é", [], {}),
        ("\ud800", [], {}),
        ("s", ["Method"], {}),
        ("s", ["a b"], {}),
        ("s", ["é"], {}),
        ("s", ['x") ("y'], {}),
        ("s", ['x;key="y" "z"'], {}),
        ("s", ["x;"], {}),
        ("s", ['x;key="\ud800"'], {}),
        ("s", ["x;sf=?1"], {}),
        ("s", [], {"created": 10**15}),
        ("s", [], {"expires": -(10**15)}),
        ("s", [], {"nonce": "a\nb"}),
        ("s", [], {"keyid": "é"}),
        ("s", [], {"nonce": "x" * 16_384}),
    ],
)
def test_what_no_verifier_reads_back_is_not_composed(
    label: str, components: list[str], parameters: dict[str, int | str]
) -> None:
    with pytest.raises(FieldSyntaxError):
        SignatureInput.compose(label, components, **parameters)  # type: ignore[arg-type]
