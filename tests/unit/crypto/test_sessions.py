"""Session keys against a recomputation from `hashlib` and `hmac`, and whole exchanges in both libraries."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import hmac
import pickle
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import (
    KemAlgorithm,
    KemPrivateKey,
    KemPublicKey,
    KeyFormatError,
    PrivateKey,
    Profile,
    SessionKeys,
    SignatureAlgorithm,
    open_request,
    session_secret,
    session_transcript,
    signature_base,
)
from crypto.providers.kem_selection import select_kem_provider
from tests.unit.crypto.signed_message import BODY, ED25519, ML_DSA, NOW, signed
from tests.vectors import hkdf
from tests.vectors.liboqs_encapsulation import NEEDS_OQS

PROBE = b"a signature base"
SHARED, OTHER = bytes(range(32)), bytes(range(32, 64))


@dataclass(frozen=True)
class Handshake:
    """What both ends saw."""

    server_keyid: str
    request_body: bytes
    response_body: bytes
    request_bases: tuple[bytes, ...]

    @classmethod
    def of(cls, parts: list[bytes]) -> Handshake:
        """From the parts in their order; the first is ASCII."""
        return cls(parts[0].decode("ascii"), parts[1], parts[2], tuple(parts[3:]))

    @property
    def parts(self) -> list[bytes]:
        """The parts in their order."""
        return [self.server_keyid.encode(), self.request_body, self.response_body, *self.request_bases]

    def transcript(self) -> bytes:
        """As the product computes it."""
        return session_transcript(
            server_keyid=self.server_keyid,
            request_body=self.request_body,
            response_body=self.response_body,
            request_bases=self.request_bases,
        )

    def keys(self, shared: bytes = SHARED, previous: bytes = b"") -> SessionKeys:
        """As the product derives them."""
        return SessionKeys.derive("session-1", session_secret(shared, self.transcript(), previous))


HANDSHAKE = Handshake(
    "server", b'{"suite":"x-wing"}', b'{"id":"session-1"}', (b'"@method": POST', b'"@method": POST\n')
)


def transcript_by_hand(parts: list[bytes]) -> bytes:
    """The bytes of docs/protocol.md, all at once."""
    whole = b"secure-api session v1\x0a" + b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return hashlib.sha256(whole).digest()


def keys_by_hand(transcript: bytes, material: bytes) -> dict[str, bytes]:
    """The five keys by their names in docs/protocol.md."""
    secret = hkdf.extract(transcript, material)
    names = ("client mac", "server mac", "client aead", "server aead", "rekey")
    return {name: hkdf.expand(secret, f"secure-api session v1 {name}".encode(), 32) for name in names}


def shown(keys: SessionKeys) -> dict[str, bytes]:
    """The five keys as far as they show: of a MAC key, what it makes of `PROBE`."""
    return {
        "client mac": keys.client_mac.sign(PROBE),
        "server mac": keys.server_mac.sign(PROBE),
        "client aead": keys.client_aead,
        "server aead": keys.server_aead,
        "rekey": keys.rekey,
    }


def shown_by_hand(transcript: bytes, material: bytes) -> dict[str, bytes]:
    """`keys_by_hand`, as `shown` shows them."""
    keys = keys_by_hand(transcript, material)
    return {name: hmac.digest(key, PROBE, "sha256") if "mac" in name else key for name, key in keys.items()}


def assert_disjoint(one: SessionKeys, other: SessionKeys) -> None:
    assert set(shown(one).values()).isdisjoint(shown(other).values())


texts = st.text(st.characters(codec="ascii"), max_size=4).map(str.encode)
# Few bytes, and those of lengths: two handshakes whose bare concatenation is the same are common among these.
small = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=6).map(bytes)
handshakes = st.builds(
    lambda first, middle, bases: Handshake.of([first, *middle, *bases]),
    st.sampled_from([b"", b"\0", b"\1", b"\0\0"]),
    st.lists(small, min_size=2, max_size=2),
    st.lists(small, max_size=3),
)
real = st.builds(
    lambda first, rest: Handshake.of([first, *rest]), texts, st.lists(st.binary(max_size=80), min_size=3, max_size=6)
)


@given(handshake=real, shared=st.binary(min_size=32, max_size=32), rekey=st.sampled_from([b"", OTHER]))
def test_transcript_and_keys_are_those_of_the_protocol(handshake: Handshake, shared: bytes, rekey: bytes) -> None:
    transcript = transcript_by_hand(handshake.parts)
    assert handshake.transcript() == transcript
    assert session_secret(shared, transcript, rekey) == hkdf.extract(transcript, shared + rekey)
    assert shown(handshake.keys(shared, rekey)) == shown_by_hand(transcript, shared + rekey)


def test_known_answer() -> None:
    """Frozen: who changes these has changed the protocol."""
    transcript = HANDSHAKE.transcript()
    assert transcript.hex() == "7cf54a7ea1e17cb4c9b6bd2c723e8c6b72c383a1df96bd9f47179a2b41dfa0fe"
    assert (
        session_secret(SHARED, transcript).hex() == "2c3ea74e5da6ac10773c123685ac66db5b872a734f32da477b12188d458aef8c"
    )
    keys = HANDSHAKE.keys()
    assert keys.client_aead.hex() == "44184f0ccf83044062f13d6b01be85226e6c3554c95675cb7ac836ba40bca2c0"
    assert keys.server_aead.hex() == "ef29ba905c8c808dc828d6eb8b6a5fb0bdc30e18b55b5ded20089e487ab5febb"
    assert keys.rekey.hex() == "202bad271793e17bf61d0e9f558c6e1383ced6c82f992c6db943ebed3c83a0de"
    assert keys.client_mac.sign(PROBE).hex() == "8feb233dfa97b7a8d7e846b106967b9c41a80db26ceb74d37c2d7a32d7032b90"
    assert keys.server_mac.sign(PROBE).hex() == "718eb4525c67023d8e9583fb772f258b02822b6e18f68182d296b6bce9e61f37"


@given(one=handshakes, other=handshakes)
def test_two_handshakes_never_have_one_transcript(one: Handshake, other: Handshake) -> None:
    assert (one.transcript() == other.transcript()) == (one == other)


@given(handshake=real, data=st.data())
def test_a_change_in_any_part_changes_every_key(handshake: Handshake, data: st.DataObject) -> None:
    parts = handshake.parts
    place = data.draw(st.integers(0, len(parts) - 1), "part")
    changes: list[Callable[[bytes], bytes]] = [
        lambda part: part + b"\0",
        lambda part: b"\0" + part + b"\1",
        lambda part: part[:-1] if part else b"\0",
        lambda part: bytes([part[0] ^ 1]) + part[1:] if part else b"\1",
        lambda part: part[:-1] + bytes([part[-1] ^ 1]) if part else b"\1",
    ]
    parts[place] = data.draw(st.sampled_from(changes), "change")(parts[place])
    assert_disjoint(handshake.keys(), Handshake.of(parts).keys())


@given(handshake=real, data=st.data())
def test_bytes_that_move_to_the_part_beside_change_every_key(handshake: Handshake, data: st.DataObject) -> None:
    parts = handshake.parts
    place = data.draw(st.integers(1, len(parts) - 2), "part")  # the first part is text; it is moved below
    left, both = parts[place], parts[place] + parts[place + 1]
    border = data.draw(st.integers(0, len(both)), "border")
    parts[place : place + 2] = [both[:border], both[border:]]
    moved = Handshake.of(parts)
    if border == len(left):
        assert moved.transcript() == handshake.transcript()
    else:
        assert_disjoint(handshake.keys(), moved.keys())


def _variants() -> Iterator[tuple[str, Handshake]]:
    first, second = HANDSHAKE.request_bases
    yield "another server", replace(HANDSHAKE, server_keyid="servex")
    yield "the server's name moved", replace(HANDSHAKE, server_keyid="serve", request_body=b'r{"suite":"x-wing"}')
    yield "bodies swapped", replace(HANDSHAKE, request_body=b'{"id":"session-1"}', response_body=b'{"suite":"x-wing"}')
    yield "signatures swapped", replace(HANDSHAKE, request_bases=(second, first))
    yield "a signature less", replace(HANDSHAKE, request_bases=(first,))
    yield "a signature twice", replace(HANDSHAKE, request_bases=(first, second, second))
    yield "signatures joined", replace(HANDSHAKE, request_bases=(first + second,))
    yield "an empty signature", replace(HANDSHAKE, request_bases=(first, second, b""))
    yield "no signature", replace(HANDSHAKE, request_bases=())
    length = struct.pack(">I", len(second))
    yield "a length inside", replace(HANDSHAKE, request_bases=(first + length + second,))


@pytest.mark.parametrize("variant", [variant for _, variant in _variants()], ids=[name for name, _ in _variants()])
def test_neither_end_is_deceived_about_the_handshake(variant: Handshake) -> None:
    assert_disjoint(HANDSHAKE.keys(), variant.keys())


def test_the_five_keys_are_five() -> None:
    keys = HANDSHAKE.keys()
    assert len({*shown(keys).values(), *keys_by_hand(HANDSHAKE.transcript(), SHARED).values()}) == 7
    assert keys.session == keys.client_mac.keyid == keys.server_mac.keyid == "session-1"
    assert {len(key) for key in (keys.client_aead, keys.server_aead, keys.rekey)} == {32}


def test_a_rekey_needs_the_old_secret_and_the_new_one() -> None:
    old = HANDSHAKE.keys()
    renewed = HANDSHAKE.keys(OTHER, old.rekey)
    others = [
        HANDSHAKE.keys(OTHER),
        HANDSHAKE.keys(OTHER, bytes(32)),
        HANDSHAKE.keys(OTHER, old.client_aead),
        HANDSHAKE.keys(SHARED, old.rekey),
        HANDSHAKE.keys(old.rekey, OTHER),
        old,
    ]
    for other in others:
        assert_disjoint(renewed, other)
    assert shown(renewed) == shown_by_hand(HANDSHAKE.transcript(), OTHER + old.rekey)
    again = HANDSHAKE.keys(OTHER, renewed.rekey)
    assert_disjoint(again, renewed)


@pytest.mark.parametrize(
    ("shared", "transcript", "previous"),
    [
        (31, 32, 0),
        (33, 32, 0),
        (0, 32, 0),
        (64, 32, 0),
        (32, 32, 31),
        (31, 32, 33),
        (33, 32, 31),
        (32, 31, 0),
        (32, 0, 32),
    ],
)
def test_secrets_of_other_lengths_are_refused(shared: int, transcript: int, previous: int) -> None:
    """Shared secret and rekey secret are joined without their lengths: that is sound because both are fixed."""
    with pytest.raises(KeyFormatError, match="32 bytes each"):
        session_secret(bytes(shared), bytes(transcript), bytes(previous))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_session_has_a_secret_of_32_bytes(length: int) -> None:
    with pytest.raises(KeyFormatError, match=f"has 32 bytes, not {length}"):
        SessionKeys.derive("session-1", bytes(length))


def test_a_keyid_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="ASCII"):
        replace(HANDSHAKE, server_keyid="sërver").transcript()


def test_nothing_shows_a_key() -> None:
    keys = HANDSHAKE.keys()
    assert repr(keys) == str(keys) == "SessionKeys(session='session-1')"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy, dataclasses.asdict):
        with pytest.raises(TypeError, match="not pickled"):
            copied(keys)
    with pytest.raises(dataclasses.FrozenInstanceError):
        keys.rekey = bytes(32)  # type: ignore[misc]


class Client:
    """The end that offers an ephemeral key, in a request with two signatures."""

    def __init__(self, suite: KemAlgorithm) -> None:
        self.ephemeral = KemPrivateKey.generate(suite)
        self.offer = self.ephemeral.public_key.raw
        self.request = signed(ML_DSA, ED25519, body=self.offer)
        opened = open_request(self.request, Profile(), NOW)
        self.bases = tuple(signature_base(opened.request, label.input) for label in opened.labels)

    def finish(self, server_keyid: str, answer: bytes, ciphertext: bytes, previous: bytes = b"") -> SessionKeys:
        """Derive from the server's answer."""
        handshake = Handshake(server_keyid, self.offer, answer, self.bases)
        return handshake.keys(self.ephemeral.decapsulate(ciphertext), previous)


def answered(suite: KemAlgorithm, offer: bytes, bases: tuple[bytes, ...]) -> tuple[bytes, bytes, SessionKeys]:
    """What the server makes of an offer: the ciphertext, the body that carries it, and its keys."""
    ciphertext, shared = KemPublicKey(suite, offer).encapsulate()
    answer = b'{"id":"session-1","ciphertext":"' + ciphertext.hex().encode() + b'"}'
    return ciphertext, answer, Handshake("server", offer, answer, bases).keys(shared)


@pytest.fixture
def _the_usual_provider_afterwards() -> Iterator[None]:
    yield
    select_kem_provider("openssl")


EVERY_SUITE = pytest.mark.parametrize("suite", KemAlgorithm, ids=str)
EVERY_PAIR = pytest.mark.parametrize(
    ("client_provider", "server_provider"),
    [
        ("openssl", "openssl"),
        pytest.param("oqs", "oqs", marks=NEEDS_OQS),
        pytest.param("openssl", "oqs", marks=NEEDS_OQS),
        pytest.param("oqs", "openssl", marks=NEEDS_OQS),
    ],
)


@EVERY_SUITE
@EVERY_PAIR
@pytest.mark.usefixtures("_the_usual_provider_afterwards")
def test_both_ends_have_one_set_of_keys(suite: KemAlgorithm, client_provider: str, server_provider: str) -> None:
    assert select_kem_provider(client_provider).name == client_provider
    client = Client(suite)
    select_kem_provider(server_provider)
    ciphertext, answer, keys = answered(suite, client.offer, client.bases)
    assert len(client.bases) == 2
    assert shown(client.finish("server", answer, ciphertext)) == shown(keys)
    request = client.finish("server", answer, ciphertext).client_mac.sign(PROBE)
    keys.client_mac.verify(request, PROBE)
    # In the next exchange the old session stands where the server's key was.
    again = Client(suite)
    shared = (encapsulation := again.ephemeral.public_key.encapsulate()).shared_secret
    rekeyed = Handshake("session-1", again.offer, b"{}", again.bases).keys(shared, keys.rekey)
    old = client.finish("server", answer, ciphertext).rekey
    assert shown(again.finish("session-1", b"{}", encapsulation.ciphertext, old)) == shown(rekeyed)
    assert_disjoint(rekeyed, keys)


@EVERY_SUITE
@EVERY_PAIR
@pytest.mark.usefixtures("_the_usual_provider_afterwards")
def test_whoever_meddles_shares_no_key(suite: KemAlgorithm, client_provider: str, server_provider: str) -> None:
    select_kem_provider(client_provider)
    client = Client(suite)
    select_kem_provider(server_provider)
    ciphertext, answer, keys = answered(suite, client.offer, client.bases)
    for place in (0, len(ciphertext) // 2, len(ciphertext) - 1):
        changed = ciphertext[:place] + bytes([ciphertext[place] ^ 1]) + ciphertext[place + 1 :]
        assert_disjoint(client.finish("server", answer, changed), keys)
    assert_disjoint(client.finish("another", answer, ciphertext), keys)
    assert_disjoint(client.finish("server", answer + b" ", ciphertext), keys)
    assert_disjoint(client.finish("server", answer, ciphertext, keys.rekey), keys)
    # Somebody else's key in the offer: the server answers it, and the client has another secret and transcript.
    other, _, stolen = answered(suite, Client(suite).offer, client.bases)
    assert_disjoint(client.finish("server", answer, other), stolen)


def test_the_same_exchange_by_another_client_gives_other_keys() -> None:
    """Whose signatures were on the request is part of the keys: nobody can claim another's exchange."""
    bases = []
    for key in (ED25519, PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32))):
        opened = open_request(signed(key), Profile(), NOW)
        bases.append(signature_base(opened.request, opened.labels[0].input))
    one, other, again = (Handshake("server", BODY, b"{}", (base,)).keys() for base in (*bases, bases[0]))
    assert_disjoint(one, other)
    assert shown(one) == shown(again)
