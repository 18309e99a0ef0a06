from __future__ import annotations

import copy
import pickle
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import (
    FieldSyntaxError,
    KemAlgorithm,
    KemPrivateKey,
    KeyFormatError,
    Request,
    SealedType,
    SealingAlgorithm,
    SealingError,
    SealingPrivateKey,
    SealingPublicKey,
    UnsealingError,
    open_under,
    request_context,
    response_context,
    seal_under,
    sealing_kid,
)
from tests.unit.crypto.test_kem import SMALL_ORDER

SEED = bytes(range(32))
KEY = SealingPrivateKey(SEED)
PUBLIC = SealingPublicKey(KEY.public_key)
AEAD_KEY = bytes(range(32, 64))
REQUEST = Request("POST", "api.example.com", "/v1/datasets/weather/records", "dry=1", ())
SEALED = SealedType(SealingAlgorithm.HPKE_X_WING, sealing_kid(KEY.public_key), "application/json").text
REPLY = SealedType(SealingAlgorithm.HPKE_X_WING, "reply", "application/json").text
BODIES = pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 4096], ids=["empty", "1 byte", "1 MiB"])


@dataclass(frozen=True)
class Way:
    """One way of sealing."""

    seal: Callable[[bytes, bytes], bytes]
    open: Callable[[bytes, bytes], bytes]
    overhead: int


WAYS = {
    "hpke": Way(PUBLIC.seal, KEY.open, 1_120 + 16),
    "session": Way(
        lambda body, context: seal_under(AEAD_KEY, body, context, secrets.token_bytes(12)),
        lambda sealed, context: open_under(AEAD_KEY, sealed, context),
        12 + 16,
    ),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def context(
    request: Request = REQUEST, *, content_type: str = SEALED, keyid: str = "key-1", nonce: str = "n-1"
) -> bytes:
    """What a request's body is bound to."""
    return request_context(request, content_type=content_type, keyid=keyid, nonce=nonce)


REQUEST_CONTEXT = context()
RESPONSE_CONTEXT = response_context(REQUEST_CONTEXT, status=201, content_type=REPLY)


def test_contexts_are_those_of_the_protocol() -> None:
    kid = sealing_kid(KEY.public_key)
    lines = [
        "secure-api sealed request v1",
        "POST",
        "api.example.com",
        "/v1/datasets/weather/records",
        "?dry=1",
        f'application/vnd.secure-api.sealed;alg=hpke-x-wing;kid={kid};type="application/json"',
        "key-1",
        "n-1",
    ]
    assert REQUEST_CONTEXT.decode("ascii").split("\n") == lines
    reply = 'application/vnd.secure-api.sealed;alg=hpke-x-wing;kid=reply;type="application/json"'
    assert RESPONSE_CONTEXT.decode("ascii").split("\n") == ["secure-api sealed response v1", "201", reply, *lines]
    bare = Request("GET", "API.Example.com:443", "", "", (), "https")
    assert context(bare).decode("ascii").split("\n")[1:5] == ["GET", "api.example.com", "/", "?"]


@EVERY_WAY
@BODIES
def test_round_trip(way: Way, body: bytes) -> None:
    sealed = way.seal(body, REQUEST_CONTEXT)
    assert way.open(sealed, REQUEST_CONTEXT) == body
    assert len(sealed) == len(body) + way.overhead
    again = way.seal(body, REQUEST_CONTEXT)
    assert sealed[: way.overhead - 16] != again[: way.overhead - 16], "each has its own encapsulation or nonce"
    assert sealed[-16:] != again[-16:]
    if len(body) > 32:
        assert body[:32] not in sealed


OTHER_CONTEXTS = {
    "method": context(replace(REQUEST, method="PUT")),
    "authority": context(replace(REQUEST, authority="api.example.org")),
    "port": context(replace(REQUEST, authority="api.example.com:8443")),
    "path": context(replace(REQUEST, path="/v1/datasets/whether/records")),
    "query": context(replace(REQUEST, query="dry=0")),
    "no query": context(replace(REQUEST, query="")),
    "query in path": context(replace(REQUEST, path=REQUEST.path + "?dry=1", query="")),
    "type inside": context(content_type=SEALED.replace("json", "cbor")),
    "kid": context(content_type=SEALED.replace("kid=", "kid=A")),
    "algorithm": context(content_type=SEALED.replace("hpke-x-wing", "aes-256-gcm")),
    "keyid": context(keyid="key-2"),
    "nonce": context(nonce="n-2"),
    "keyid for nonce": context(keyid="n-1", nonce="key-1"),
    "no keyid": context(keyid=""),
    "direction": RESPONSE_CONTEXT,
    "nothing": b"",
    "a line more": REQUEST_CONTEXT + b"\n",
    "a line less": REQUEST_CONTEXT.rpartition(b"\n")[0],
}


@EVERY_WAY
@pytest.mark.parametrize("other", OTHER_CONTEXTS.values(), ids=OTHER_CONTEXTS.keys())
def test_a_body_is_bound_to_its_request(way: Way, other: bytes) -> None:
    sealed = way.seal(b"{}", REQUEST_CONTEXT)
    with pytest.raises(UnsealingError):
        way.open(sealed, other)
    with pytest.raises(UnsealingError):
        way.open(way.seal(b"{}", other), REQUEST_CONTEXT)


OTHER_ANSWERS = {
    "status": response_context(REQUEST_CONTEXT, status=200, content_type=REPLY),
    "type inside": response_context(REQUEST_CONTEXT, status=201, content_type=REPLY.replace("json", "problem+json")),
    "algorithm": response_context(
        REQUEST_CONTEXT, status=201, content_type=REPLY.replace("hpke-x-wing", "aes-256-gcm")
    ),
    "kid": response_context(REQUEST_CONTEXT, status=201, content_type=REPLY.replace("reply", "reply2")),
    "direction": REQUEST_CONTEXT,
    **{
        f"of another request: {name}": response_context(other, status=201, content_type=REPLY)
        for name, other in OTHER_CONTEXTS.items()
    },
}


@EVERY_WAY
@pytest.mark.parametrize("other", OTHER_ANSWERS.values(), ids=OTHER_ANSWERS.keys())
def test_an_answer_is_bound_to_its_request_and_status(way: Way, other: bytes) -> None:
    assert way.open(way.seal(b"{}", RESPONSE_CONTEXT), RESPONSE_CONTEXT) == b"{}"
    with pytest.raises(UnsealingError):
        way.open(way.seal(b"{}", RESPONSE_CONTEXT), other)


def test_all_these_contexts_are_different() -> None:
    every = [*OTHER_CONTEXTS.values(), *OTHER_ANSWERS.values()]  # each other way round under "direction"
    assert len(set(every)) == len(every)


printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
fields = st.tuples(printable, printable, printable)


@given(one=fields, other=fields)
def test_two_messages_never_have_one_context(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    mine, theirs = (context(content_type=type, keyid=keyid, nonce=nonce) for type, keyid, nonce in (one, other))
    assert (mine == theirs) == (one == other)


@pytest.mark.parametrize("bad", ["a\nb", "\n", "b\n", "a\rb", "a\0b", "a\tb", "ü", "\x7f", "\u2028", "\ud800"])
def test_no_line_of_a_context_can_hold_another(bad: str) -> None:
    """Else `keyid` "a\\nb" with the nonce "c" would be `keyid` "a" with the nonce "b\\nc"."""
    with pytest.raises(FieldSyntaxError, match="content type"):
        context(content_type=bad)
    with pytest.raises(FieldSyntaxError, match="keyid"):
        context(keyid=bad)
    with pytest.raises(FieldSyntaxError, match="nonce"):
        context(nonce=bad)
    with pytest.raises(FieldSyntaxError):
        response_context(REQUEST_CONTEXT, status=200, content_type=bad)
    if bad != "a\tb":  # which RFC 9421 allows, and which is no line break
        for request in (replace(REQUEST, method=bad), replace(REQUEST, path=bad), replace(REQUEST, query=bad)):
            with pytest.raises(FieldSyntaxError):
                context(request)
        with pytest.raises(FieldSyntaxError):
            context(replace(REQUEST, authority=bad))


@EVERY_WAY
def test_what_was_changed_anywhere_is_refused(way: Way) -> None:
    body = bytes(100)
    sealed = way.seal(body, REQUEST_CONTEXT)
    # HPKE: both parts of the encapsulation, ciphertext, tag. Session: nonce, ciphertext, tag.
    borders = {0, 1, 11, 12, 1_087, 1_088, 1_119, 1_120, len(sealed) - 17, len(sealed) - 16, len(sealed) - 1}
    for place in sorted(border for border in borders if border < len(sealed)):
        for bit in (1, 0x40):
            with pytest.raises(UnsealingError):
                way.open(sealed[:place] + bytes([sealed[place] ^ bit]) + sealed[place + 1 :], REQUEST_CONTEXT)
    for cut in (0, 1, 11, 12, 16, 27, 28, 1_119, 1_120, 1_135, 1_136, len(sealed) - 16, len(sealed) - 1):
        with pytest.raises(UnsealingError):
            way.open(sealed[: min(cut, len(sealed) - 1)], REQUEST_CONTEXT)
    for wrong in (sealed + b"\0", b"\0" + sealed, sealed * 2, sealed[::-1], sealed[1:]):
        with pytest.raises(UnsealingError):
            way.open(wrong, REQUEST_CONTEXT)


@EVERY_WAY
@given(sealed=st.binary(max_size=64) | st.binary(min_size=1_100, max_size=1_300), context=st.binary(max_size=64))
def test_arbitrary_bytes_are_refused_and_nothing_worse(way: Way, sealed: bytes, context: bytes) -> None:
    with pytest.raises(UnsealingError):
        way.open(sealed, context)


@EVERY_WAY
@given(data=st.data())
def test_a_fuzzed_message_is_refused_and_nothing_worse(way: Way, data: st.DataObject) -> None:
    sealed = way.seal(b"a body", REQUEST_CONTEXT)
    start = data.draw(st.integers(0, len(sealed) - 1), "start")
    end = data.draw(st.integers(start, len(sealed)), "end")
    changed = sealed[:start] + data.draw(st.binary(max_size=48), "put there") + sealed[end:]
    if changed != sealed:
        with pytest.raises(UnsealingError):
            way.open(changed, REQUEST_CONTEXT)


def test_another_key_opens_nothing() -> None:
    sealed = PUBLIC.seal(b"{}", REQUEST_CONTEXT)
    for seed in (bytes(32), SEED[::-1], SEED[:-1] + b"\0"):
        with pytest.raises(UnsealingError):
            SealingPrivateKey(seed).open(sealed, REQUEST_CONTEXT)
        with pytest.raises(UnsealingError):
            open_under(seed, seal_under(AEAD_KEY, b"{}", REQUEST_CONTEXT, bytes(12)), REQUEST_CONTEXT)


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_keys_and_nonces_have_one_length(length: int) -> None:
    """AES-GCM itself takes keys of AES-128 and nonces of 8 to 128 bytes."""
    with pytest.raises(KeyFormatError, match=f"has 32 bytes, not {length}"):
        seal_under(bytes(length), b"", b"", bytes(12))
    with pytest.raises(KeyFormatError, match=f"has 32 bytes, not {length}"):
        open_under(bytes(length), bytes(28), b"")
    with pytest.raises(SealingError, match=f"has 12 bytes, not {length}"):
        seal_under(AEAD_KEY, b"", b"", bytes(length))
    with pytest.raises(KeyFormatError, match=f"has 32 bytes, not {length}"):
        SealingPrivateKey(bytes(length))


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32))
def test_a_sealing_key_is_the_x_wing_key_of_its_seed(seed: bytes) -> None:
    key = SealingPrivateKey(seed)
    assert key.public_key == KemPrivateKey.from_seed(KemAlgorithm.X_WING, seed).public_key.raw
    assert key.open(SealingPublicKey(key.public_key).seal(seed, b"info"), b"info") == seed


@pytest.mark.parametrize("point", SMALL_ORDER, ids=bytes.hex)
def test_points_of_small_order_are_refused(point: bytes) -> None:
    """RFC 9180 §7.1.4: the secret of X25519 would be zeros, whoever computes it."""
    with pytest.raises(KeyFormatError, match="small order"):
        SealingPublicKey(KEY.public_key[:-32] + point)
    sealed = PUBLIC.seal(b"{}", REQUEST_CONTEXT)
    with pytest.raises(UnsealingError):
        KEY.open(sealed[:1_088] + point + sealed[1_120:], REQUEST_CONTEXT)


def test_what_is_no_public_key_is_refused() -> None:
    for raw in (b"", KEY.public_key[:-1], KEY.public_key + b"\0", bytes(32), KEY.public_key[:1_184]):
        with pytest.raises(KeyFormatError, match="has 1216 bytes"):
            SealingPublicKey(raw)
    with pytest.raises(KeyFormatError, match="not reduced"):
        SealingPublicKey(b"\xff\xff\xff" + KEY.public_key[3:])


@given(st.binary(min_size=32, max_size=32))
def test_any_x25519_part_is_sealed_to_or_refused_as_a_key(point: bytes) -> None:
    try:
        sealed = SealingPublicKey(KEY.public_key[:-32] + point).seal(b"", b"")
    except KeyFormatError:
        assert point in SMALL_ORDER
    else:
        assert len(sealed) == 1_136


def test_nothing_shows_the_seed() -> None:
    assert repr(KEY) == str(KEY) == "SealingPrivateKey()"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(KEY)
