from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crypto import (
    ALGORITHMS,
    COMPONENTS,
    VERIFICATION_REASONS,
    CryptoError,
    DigestError,
    FieldSyntaxError,
    InvalidSignature,
    PrivateKey,
    Profile,
    ProfileError,
    Request,
    SignatureAlgorithm,
    SignedRequest,
    VerificationError,
    content_digest,
    open_request,
    verify_request,
)
from tests.unit.crypto.signed_message import (
    BODY,
    ED25519,
    KEYS,
    ML_DSA,
    NOW,
    UNSIGNED,
    replaced,
    signed,
    text,
    verdict,
    with_field,
)

GOOD = signed()
HYBRID = signed(ED25519, ML_DSA)
Change = Callable[[Request], Request]


def _in(field: str, old: str, new: str) -> Change:
    return lambda request: replaced(request, field, old, new)


def _set(field: str, *values: str | bytes) -> Change:
    return lambda request: with_field(request, field, *values)


def _repeated(field: str) -> Change:
    return lambda request: with_field(request, field, *[text(request, field)] * 2)


def _appended(field: str, value: str) -> Change:
    return lambda request: with_field(request, field, text(request, field) + value)


def _with_another_label(tag: str, label: str = "theirs") -> Change:
    """A member that somebody between client and server added."""

    def change(request: Request) -> Request:
        added = _appended("signature-input", f', {label}=("@method");created=1;keyid="gateway";tag="{tag}"')
        return _appended("signature", f", {label}=:AAAA:")(added(request))

    return change


@pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)
@pytest.mark.parametrize("digest", ["sha-256", "sha-512"])
def test_what_was_signed_is_believed(algorithm: SignatureAlgorithm, digest: str) -> None:
    key = PrivateKey.generate(algorithm)
    opened = open_request(signed(key, digest=digest), Profile(), NOW)
    verify_request(opened, BODY, {key.keyid: key.public_key})
    (label,) = opened.labels
    assert (label.label, label.keyid, label.algorithm, label.nonce) == ("sig1", key.keyid, algorithm, "nonce-0000")
    assert (label.created, label.expires) == (NOW, NOW + 60)
    assert label.input.components == COMPONENTS
    assert len(label.signature) == ALGORITHMS[algorithm].signature_bytes


def test_several_labels_are_all_opened() -> None:
    opened = open_request(HYBRID, Profile(), NOW)
    verify_request(opened, BODY, KEYS)
    assert [label.keyid for label in opened.labels] == [ED25519.keyid, ML_DSA.keyid]
    assert [label.nonce for label in opened.labels] == ["nonce-0000", "nonce-0001"]


def test_a_request_without_a_body_is_signed_too() -> None:
    request = signed(request=replace(UNSIGNED, method="GET", query=""), body=b"")
    assert verdict(request, b"") == "believed"
    assert verdict(request, b"\0") == "digest-mismatch"


def test_several_digests_are_all_checked() -> None:
    both = f"{content_digest(BODY)}, {content_digest(BODY, 'sha-512')}"
    assert verdict(with_field(GOOD, "content-digest", both)) == "invalid-signature"
    half = f"{content_digest(BODY)}, {content_digest(b'other', 'sha-512')}"
    assert verdict(with_field(GOOD, "content-digest", half)) == "digest-mismatch"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "PUT"),
        ("method", "post"),
        ("authority", "api.example.org"),
        ("authority", "api.example.com:8443"),
        ("path", "/v1/datasets/weather/record"),
        ("path", "/v1/datasets/weather/records/"),
        ("path", ""),
        ("query", "dry=2"),
        ("query", ""),
        ("query", "dry=1&"),
        ("query", "dry=1#"),
        ("scheme", "http"),
    ],
)
def test_every_change_of_the_target_is_noticed(field: str, value: str) -> None:
    changed = replace(GOOD, **{field: value})  # type: ignore[arg-type]
    # The scheme is not covered: behind a proxy that ends TLS, the server does not see the client's.
    assert verdict(changed) == ("believed" if field == "scheme" else "invalid-signature")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda request: replace(request, authority="API.EXAMPLE.COM:443"), True),
        (lambda request: replace(request, authority="api.example.com:"), True),
        (_set("accept", "text/html"), True),
        (_set("content-type", " application/json\t"), True),
        (_in("content-type", "application/json", "application/JSON"), False),
        (_in("content-type", "application/json", "application/json; charset=utf-8"), False),
        (_set("content-type", ""), False),
    ],
)
def test_only_what_means_the_same_is_the_same(change: Change, same: bool) -> None:
    assert verdict(change(GOOD)) == ("believed" if same else "invalid-signature")


REFUSALS: list[tuple[str, Change, str]] = [
    ("no signature-input", _set("signature-input"), "missing-signature"),
    ("no signature", _set("signature"), "missing-signature"),
    ("another tag only", _in("signature-input", 'tag="secure-api"', 'tag="secure-apis"'), "missing-signature"),
    ("no tag", _in("signature-input", ';tag="secure-api"', ""), "missing-signature"),
    ("a label without signature", _appended("signature-input", ", sig2=()"), "missing-signature"),
    ("a label without input", _appended("signature", ", sig2=:AAAA:"), "missing-signature"),
    ("labels that differ", _in("signature", "sig1", "sig2"), "missing-signature"),
    ("no content-digest", _set("content-digest"), "digest-missing"),
    ("md5 only", _set("content-digest", "md5=:AAAA:"), "digest-missing"),
    ("another body's digest", _set("content-digest", content_digest(b"other")), "digest-mismatch"),
    ("an empty digest", _set("content-digest", ""), "malformed-field"),
    ("half a digest", _set("content-digest", "sha-256=:AAAA"), "malformed-field"),
    ("a digest twice", _appended("content-digest", ", sha-256=:AAAA:"), "duplicate-label"),
    ("no content-type", _set("content-type"), "coverage"),
    ("content-type twice", _repeated("content-type"), "duplicate-field"),
    ("content-digest twice", _repeated("content-digest"), "duplicate-field"),
    ("host twice", _repeated("host"), "duplicate-field"),
    ("signature-input twice", _repeated("signature-input"), "duplicate-label"),
    ("signature twice", _repeated("signature"), "duplicate-label"),
    ("one label twice", _with_another_label("gateway", "sig1"), "duplicate-label"),
    ("five labels", _appended("signature-input", ", a=(), b=(), c=(), d=()"), "too-many-labels"),
    ("five signatures", _appended("signature", ", a=::, b=::, c=::, d=::"), "too-many-labels"),
    ("a large signature-input", _appended("signature-input", " " * 16_384), "field-too-large"),
    ("a large signature", _set("signature", *["a=::" * 2_048] * 3), "field-too-large"),
    ("a large content-type", _set("content-type", "x" * 16_385), "field-too-large"),
    ("a large content-digest", _set("content-digest", "x" * 16_385), "field-too-large"),
    ("a large host", _set("host", "x" * 16_385), "field-too-large"),
    ("an empty signature-input", _set("signature-input", ""), "malformed-field"),
    ("an empty signature", _set("signature", ""), "malformed-field"),
    ("a signature that is not ASCII", _appended("signature", ", é=::"), "malformed-field"),
    ("a signature that is text", _set("signature", 'sig1="AAAA"'), "malformed-field"),
    ("created as text", _in("signature-input", f"created={NOW}", f'created="{NOW}"'), "malformed-field"),
    ("created with a fraction", _in("signature-input", f"created={NOW}", f"created={NOW}.0"), "malformed-field"),
    ("created as a date", _in("signature-input", f"created={NOW}", f"created=@{NOW}"), "malformed-field"),
    ("created twice", _in("signature-input", ";expires", f";created={NOW};expires"), "malformed-field"),
    ("alg as a token", _in("signature-input", 'alg="ed25519"', "alg=ed25519"), "malformed-field"),
    ("content-type with a control", _set("content-type", "a\x01b"), "malformed-field"),
    ("content-type beyond ASCII", _set("content-type", "text/é"), "malformed-field"),
    ("a parameter of our own", _in("signature-input", ";nonce", ";context;nonce"), "unknown-parameter"),
    ("no created", _in("signature-input", f";created={NOW}", ""), "parameter-missing"),
    ("no expires", _in("signature-input", f";expires={NOW + 60}", ""), "parameter-missing"),
    ("no nonce", _in("signature-input", ';nonce="nonce-0000"', ""), "parameter-missing"),
    ("no keyid", _in("signature-input", f';keyid="{ED25519.keyid}"', ""), "parameter-missing"),
    ("no alg", _in("signature-input", ';alg="ed25519"', ""), "parameter-missing"),
    ("nothing covered", _in("signature-input", " ".join(f'"{name}"' for name in COMPONENTS), ""), "coverage"),
    ("one more covered", _in("signature-input", '("@method"', '("accept" "@method"'), "coverage"),
    ("one covered twice", _in("signature-input", '"content-type"', '"@method"'), "coverage"),
    ("all covered, one twice", _in("signature-input", '("@method"', '("@method" "@method"'), "coverage"),
    ("one covered in parts", _in("signature-input", '"content-type"', '"content-type";sf'), "coverage"),
    ("the target's path only", _in("signature-input", '"@query"', '"@request-target"'), "coverage"),
    ("a nonce of 7", _in("signature-input", "nonce-0000", "n" * 7), "bad-nonce"),
    ("a nonce of 129", _in("signature-input", "nonce-0000", "n" * 129), "bad-nonce"),
    ("no nonce at all", _in("signature-input", "nonce-0000", ""), "bad-nonce"),
    ("RSA", _in("signature-input", 'alg="ed25519"', 'alg="rsa-pss-sha512"'), "unsupported-algorithm"),
    ("HMAC", _in("signature-input", 'alg="ed25519"', 'alg="hmac-sha256"'), "algorithm-mismatch"),
    ("upper case", _in("signature-input", 'alg="ed25519"', 'alg="ED25519"'), "unsupported-algorithm"),
    ("another algorithm", _in("signature-input", 'alg="ed25519"', 'alg="ml-dsa-44"'), "algorithm-mismatch"),
    ("another key", _in("signature-input", ED25519.keyid, ED25519.keyid.swapcase()), "unknown-key"),
    ("an empty keyid", _in("signature-input", ED25519.keyid, ""), "unknown-key"),
    ("a nonce of 8", _in("signature-input", "nonce-0000", "n" * 8), "invalid-signature"),
    ("a nonce of 128", _in("signature-input", "nonce-0000", "n" * 128), "invalid-signature"),
    ("another order", _in("signature-input", '"@method" "@authority"', '"@authority" "@method"'), "invalid-signature"),
    ("no bytes", _set("signature", "sig1=::"), "invalid-signature"),
    ("zeros", _set("signature", f"sig1=:{'A' * 86}==:"), "invalid-signature"),
]


@pytest.mark.parametrize(("change", "reason"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_what_breaks_the_profile_is_refused(change: Change, reason: str) -> None:
    assert verdict(GOOD) == "believed"
    assert verdict(change(GOOD)) == reason


def test_what_needs_neither_key_nor_body_is_refused_before_both() -> None:
    late = {"digest-mismatch", "unknown-key", "algorithm-mismatch", "invalid-signature"}
    # What the digest says is read with the body, what the covered fields say when the base is built.
    read_late = {"md5 only", "an empty digest", "half a digest", "a digest twice"}
    read_late |= {"content-type with a control", "content-type beyond ASCII"}
    for name, change, reason in REFUSALS:
        if reason in late or name in read_late:
            assert open_request(change(GOOD), Profile(), NOW).labels
        else:
            with pytest.raises(VerificationError):
                open_request(change(GOOD), Profile(), NOW)


def test_every_reason_has_a_case() -> None:
    elsewhere = {
        "expired",
        "not-yet-valid",
        "window-too-long",
        "duplicate-key",
        "policy",  # the caller's: which keys together speak for a client
    }
    assert {reason for _, _, reason in REFUSALS} | elsewhere == VERIFICATION_REASONS


@pytest.mark.parametrize(
    ("created", "lifetime", "now", "reason"),
    [
        (NOW, 60, NOW, "believed"),
        (NOW, 60, NOW - 5, "believed"),
        (NOW, 60, NOW - 6, "not-yet-valid"),
        (NOW, 60, NOW + 65, "believed"),
        (NOW, 60, NOW + 66, "expired"),
        (NOW, 300, NOW, "believed"),
        (NOW, 301, NOW, "window-too-long"),
        (NOW, 1, NOW + 6, "believed"),
        (NOW, 1, NOW + 7, "expired"),
        (0, 60, NOW, "expired"),
        (-10, 60, 0, "believed"),
        (10**14, 60, NOW, "not-yet-valid"),
    ],
)
def test_a_signature_lives_for_a_while(created: int, lifetime: int, now: int, reason: str) -> None:
    assert verdict(signed(created=created, lifetime=lifetime), now=now) == reason


@pytest.mark.parametrize("expires", [NOW, NOW - 1, -NOW])
def test_a_signature_that_never_lived_is_expired(expires: int) -> None:
    assert verdict(replaced(GOOD, "signature-input", f"expires={NOW + 60}", f"expires={expires}")) == "expired"


@pytest.mark.parametrize("tag", ["gateway", "", "Secure-API"])
def test_labels_of_others_are_ignored(tag: str) -> None:
    request = _with_another_label(tag)(GOOD)
    assert [label.label for label in open_request(request, Profile(), NOW).labels] == ["sig1"]
    assert verdict(request) == "believed"


def test_labels_of_others_must_be_well_formed_too() -> None:
    request = _appended("signature-input", ', theirs=("@method" );tag="gateway"')(GOOD)
    assert verdict(_appended("signature", ", theirs=:AAAA:")(request)) == "malformed-field"


def test_a_label_with_our_tag_is_held_to_the_profile_whoever_added_it() -> None:
    assert verdict(_with_another_label("secure-api")(GOOD)) == "parameter-missing"


def test_every_label_must_be_valid() -> None:
    first, second = text(HYBRID, "signature").split(", ")
    for signature in (
        f"{first}, sig2=:AAAA:",
        f"sig1=:AAAA:, {second}",
        f"{first}, sig2={first.removeprefix('sig1=')}",
    ):
        assert verdict(with_field(HYBRID, "signature", signature)) == "invalid-signature"
    assert verdict(with_field(HYBRID, "signature", f"{second}, {first}")) == "believed"
    with pytest.raises(ProfileError, match="unknown-key: sig2: no key"):
        verify_request(open_request(HYBRID, Profile(), NOW), BODY, {ED25519.keyid: ED25519.public_key})


def test_one_key_does_not_sign_twice() -> None:
    first = text(GOOD, "signature-input")
    second = text(signed(nonces=["nonce-0009"]), "signature-input").replace("sig1", "sig2")
    request = with_field(GOOD, "signature-input", first, second)
    request = with_field(request, "signature", f"{text(GOOD, 'signature')}, sig2=:AAAA:")
    assert verdict(request) == "duplicate-key"


def test_the_fields_may_come_in_several_lines() -> None:
    request = HYBRID
    for name in ("signature-input", "signature"):
        request = with_field(request, name, *text(HYBRID, name).split(", "))
    assert verdict(request) == "believed"


def test_a_request_without_labels_is_not_believed() -> None:
    with pytest.raises(ProfileError, match="missing-signature"):
        verify_request(SignedRequest(GOOD, ()), BODY, KEYS)


def test_the_body_is_checked_before_the_keys() -> None:
    opened = open_request(GOOD, Profile(), NOW)
    with pytest.raises(DigestError, match="digest-mismatch"):
        verify_request(opened, b"other", {})
    with pytest.raises(ProfileError, match="unknown-key"):
        verify_request(opened, BODY, {})


def test_a_key_filed_under_another_keyid_is_not_taken_for_it() -> None:
    opened = open_request(GOOD, Profile(), NOW)
    other = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32)).public_key
    with pytest.raises(InvalidSignature, match="sig1"):
        verify_request(opened, BODY, {ED25519.keyid: other})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_set("signature-input", ""), FieldSyntaxError),
        (_repeated("host"), FieldSyntaxError),
        (_set("signature"), ProfileError),
        (_set("content-digest"), DigestError),
        (_set("content-digest", "x"), DigestError),
        (_set("signature", "sig1=::"), InvalidSignature),
    ],
)
def test_errors_have_their_type(change: Change, error: type[CryptoError]) -> None:
    with pytest.raises(error):
        verify_request(open_request(change(GOOD), Profile(), NOW), BODY, KEYS)


def test_a_profile_sets_its_own_bounds() -> None:
    assert verdict(GOOD, profile=Profile(tag="another")) == "missing-signature"
    assert verdict(GOOD, profile=Profile(max_window=59)) == "window-too-long"
    assert verdict(GOOD, profile=Profile(clock_skew=0), now=NOW - 1) == "not-yet-valid"
    assert verdict(GOOD, profile=Profile(clock_skew=0), now=NOW + 61) == "expired"
    assert verdict(HYBRID, profile=Profile(max_labels=1)) == "too-many-labels"
    assert verdict(GOOD, profile=Profile(max_field_bytes=100)) == "field-too-large"
    assert verdict(GOOD, profile=Profile(nonce_min=11)) == "bad-nonce"
    assert verdict(GOOD, profile=Profile(nonce_max=9)) == "bad-nonce"
    assert verdict(GOOD, profile=Profile(components=COMPONENTS[1:])) == "coverage"
    assert Profile().covered == set(COMPONENTS)
