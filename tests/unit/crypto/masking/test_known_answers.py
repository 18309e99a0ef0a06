"""One recorded sum, byte for byte: whoever changes these bytes has changed the protocol.

What is computed here by hand follows docs/masked-sums.md, with hashlib, HKDF and AES from elsewhere than the product.
"""

from __future__ import annotations

import hashlib
import json
import struct
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto import MaskingClient, MaskingServer, SealingPrivateKey, decode_base64url
from crypto.masking import Advertisement, Participants
from tests.unit.crypto.masking import recording
from tests.unit.crypto.masking.consortium import key, roster
from tests.unit.crypto.masking.recording import TERMS, VALUES, coefficients_of, joined
from tests.vectors import hkdf

PRIME = 2**384 - 2**128 - 2**96 + 2**32 - 1
LABEL = b"secure-api masked sum v1 "


@cache
def known() -> dict[str, Any]:
    """The recorded answers."""
    found: dict[str, Any] = json.loads(recording.PATH.read_text())
    return found


def answer(name: str, index: int | None = None) -> bytes:
    """A recorded answer, of a client or of all."""
    found = known()[name]
    return decode_base64url(found if index is None else found[str(index)])


def derived(secret: bytes, purpose: bytes, suffix: bytes = b"") -> bytes:
    """HKDF-SHA256 without salt."""
    info = LABEL + purpose + b"\n" + answer("terms_digest") + suffix
    return hkdf.expand(hkdf.extract(bytes(32), secret), info, 32)


def mask(seed: bytes, count: int) -> list[int]:
    """AES-256-CTR by its definition."""
    encryptor = Cipher(algorithms.AES(seed), modes.ECB()).encryptor()
    stream = encryptor.update(b"".join(number.to_bytes(16) for number in range(count // 4 + 1)))
    return list(struct.unpack(f"<{count}I", stream[: 4 * count]))


def pair(lower: int, higher: int) -> bytes:
    """The seed of a pair."""
    return derived(derived(bytes([lower]) * 32, b"pair root"), b"pair seed", struct.pack(">HH", lower, higher))


def test_terms() -> None:
    assert answer("terms") == b"\x0dknown-answers" + struct.pack(">IIHHHdI", 3, 5, 4, 3, 1, 0.25, 400)
    assert answer("terms_digest") == hashlib.sha256(LABEL + b"terms\n" + answer("terms")).digest()
    assert TERMS.to_bytes() == answer("terms")


def test_derived_secrets() -> None:
    root = bytes([1]) * 32
    assert answer("pair_root_1") == derived(root, b"pair root")
    assert answer("pair_seed_1_2") == pair(1, 2)
    assert answer("pair_key_1") == SealingPrivateKey(derived(root, b"pair key")).public_key


@pytest.mark.parametrize("index", [1, 2, 3, 4])
def test_advertisements(index: int) -> None:
    said = joined()[index].advertise(key(index))
    assert said == answer("advertisements", index)
    commitment = hashlib.sha256(
        LABEL + b"commitment\n" + TERMS.digest + struct.pack(">H", index) + bytes([32 + index]) * 32
    ).digest()
    keys = SealingPrivateKey(bytes([16 + index]) * 32), SealingPrivateKey(derived(bytes([index]) * 32, b"pair key"))
    fields = struct.pack(">H", index) + keys[0].public_key + keys[1].public_key + commitment
    assert said[:-66] == b"SAMS\x01\x01" + TERMS.digest + fields
    keyid = key(index).keyid.encode()
    statement = LABEL + b"advertisement\n" + TERMS.digest + fields[:2] + struct.pack(">H", len(keyid)) + keyid
    key(index).public_key.verify(said[-64:], statement + fields[2:])


def test_participants() -> None:
    entries = [Advertisement.decode(answer("advertisements", index), TERMS) for index in (1, 2, 3, 4)]
    said = Participants(tuple(entries)).encode(TERMS)
    count = struct.pack(">H", 4)
    assert said == b"SAMS\x01\x02" + TERMS.digest + count + b"".join(
        answer("advertisements", index)[38:] for index in (1, 2, 3, 4)
    )
    assert hashlib.sha256(said).digest() == answer("participants_digest")
    identities = b""
    for entry in entries:
        keyid = key(entry.index).keyid.encode()
        identities += struct.pack(">HH", entry.index, len(keyid)) + keyid
        identities += entry.shares_key + entry.pair_key + entry.commitment
    digest = hashlib.sha256(LABEL + b"participants\n" + TERMS.digest + count + identities).digest()
    assert answer("circle_digest") == digest


@pytest.mark.parametrize("sender", [1, 2, 3, 4])
def test_sharings(sender: int) -> None:
    said = answer("sharings", sender)
    assert said[:42] == b"SAMS\x01\x03" + TERMS.digest + struct.pack(">HH", sender, 3)
    place = 42
    drawn = int.from_bytes(bytes([48 + sender]) * 64) % PRIME
    for recipient in (index for index in (1, 2, 3, 4) if index != sender):
        assert said[place : place + 2] == struct.pack(">H", recipient)
        shares, place = said[place + 2 : place + 1234], place + 1234
        ends = TERMS.digest + answer("circle_digest") + struct.pack(">HH", sender, recipient)
        opened = SealingPrivateKey(bytes([16 + recipient]) * 32).open(shares, LABEL + b"shares\n" + ends)
        values = [
            (int.from_bytes(bytes([byte]) * 32) + drawn * recipient + drawn * recipient**2) % PRIME
            for byte in (sender, 32 + sender)
        ]
        assert opened == b"".join(value.to_bytes(48) for value in values)
        sealed_seed = b""
        if sender < recipient:
            sealed_seed, place = said[place : place + 1168], place + 1168
            opener = SealingPrivateKey(derived(bytes([recipient]) * 32, b"pair key"))
            assert opener.open(sealed_seed, LABEL + b"pair\n" + ends) == pair(sender, recipient)
        assert said[place : place + 2] == struct.pack(">H", 64)
        digests = hashlib.sha256(shares).digest() + hashlib.sha256(sealed_seed).digest()
        key(sender).public_key.verify(said[place + 2 : place + 66], LABEL + b"box\n" + ends + digests)
        place += 66
    assert place == len(said)


def received(index: int) -> MaskingClient:
    """A client that took its recorded boxes. Its own would be sealed with other randomness, and are not looked at."""
    server, client = MaskingServer.open(TERMS, roster(TERMS)), joined()[index]
    for other in (1, 2, 3, 4):
        server.advertise(answer("advertisements", other))
    server.close()
    client.share(server.participants(), key(index), coefficients_of(index))
    for other in (1, 2, 3, 4):
        server.share(answer("sharings", other))
    server.close()
    delivery = server.delivery(index)
    assert hashlib.sha256(delivery).digest() == answer("delivery_digests", index)
    client.receive(delivery)
    return client


@pytest.mark.parametrize("index", [1, 2, 4])
def test_contributions(index: int) -> None:
    client = received(index)
    said = client.contribute(VALUES[index])
    assert said == answer("contributions", index)
    assert client.to_bytes() == answer("client_states", index)
    levels = [min(400, max(-400, round(value / 0.25))) for value in VALUES[index]]
    words = [*levels, 1]
    masks = [(1, mask(bytes([32 + index]) * 32, 6))]
    masks += [(1, mask(pair(index, other), 6)) for other in range(index + 1, 5)]
    masks += [(-1, mask(pair(other, index), 6)) for other in range(1, index)]
    masked = [(word + sum(sign * row[at] for sign, row in masks)) % 2**32 for at, word in enumerate(words)]
    assert said == b"SAMS\x01\x05" + TERMS.digest + struct.pack(">H", index) + struct.pack("<6I", *masked)


@pytest.mark.parametrize("index", [1, 2, 4])
def test_confirmations_and_reveals(index: int) -> None:
    client = MaskingClient.from_bytes(answer("client_states", index), roster(TERMS))
    assert answer("survivors") == b"SAMS\x01\x06" + TERMS.digest + struct.pack(">HHHH", 3, 1, 2, 4)
    said = client.confirm(answer("survivors"), key(index))
    assert said == answer("confirmations", index)
    sets = struct.pack(">HHHHH", 4, 1, 2, 3, 4) + struct.pack(">HHHH", 3, 1, 2, 4)
    statement = LABEL + b"confirmation\n" + TERMS.digest + answer("circle_digest") + sets
    signed = struct.pack(">HH", index, 64) + key(index).sign(statement)
    assert said == b"SAMS\x01\x07" + TERMS.digest + signed
    assert signed in answer("all_confirmations")
    assert client.reveal(answer("all_confirmations")) == answer("reveals", index)


def test_the_server_comes_to_the_same_sum() -> None:
    server = MaskingServer.open(TERMS, roster(TERMS))
    for step, name in (
        (server.advertise, "advertisements"),
        (server.share, "sharings"),
        (server.collect, "contributions"),
        (server.confirm, "confirmations"),
        (server.reveal, "reveals"),
    ):
        for message in known()[name].values():
            step(decode_base64url(message))
        if server.stage < 4:
            server.close()
    assert hashlib.sha256(server.to_bytes()).digest() == answer("server_state_digest")
    assert server.result().levels.tolist() == known()["levels"] == [7, 11, 0, 806, -406]


def test_the_recording_can_be_made_again() -> None:
    """All of it but the boxes, and what contains them."""
    made = json.loads(json.dumps(recording.record()))
    random = {"sharings", "delivery_digests", "client_states", "server_state_digest"}
    assert {name: made[name] for name in made.keys() - random} == {
        name: known()[name] for name in known().keys() - random
    }
    assert made.keys() == known().keys()


def test_the_recording_draws_what_it_says() -> None:
    assert coefficients_of(2)(3) == b"222"
