"""Records one small sum as known answers: run it to make `known_answers.json` anew, which changes the protocol.

Client 3 of 4 sends boxes and drops out. Client i draws repetitions of the byte i (its root), 16 + i (the seed of its
key for shares) and 32 + i (the seed of its mask); coefficients of polynomials are drawn as 64 bytes of 48 + i. HPKE
draws its own randomness, so the boxes are recorded and not made again. Of what only puts recorded messages together,
the SHA-256 is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from crypto import MaskingClient, MaskingServer, MaskingTerms, Quantization, encode_base64url
from crypto.masking import Participants
from crypto.masking.circle import Circle
from crypto.masking.seeds import pair_key, pair_root, pair_seed
from tests.unit.crypto.masking.consortium import key, roster

PATH = Path(__file__).with_name("known_answers.json")
TERMS = MaskingTerms("known-answers", 3, 5, 4, 3, 1, Quantization(0.25, 400))
VALUES = {1: [0.0, 1.0, -1.0, 100.0, -100.0], 2: [0.25, 0.37, -0.38, 200.0, -3.0], 4: [1.5, 1.5, 1.5, 1.5, 1.5]}


def secrets_of(index: int) -> Callable[[int], bytes]:
    """What a client draws when it joins."""
    left = [index, 16 + index, 32 + index]
    return lambda length: bytes([left.pop(0)]) * length


def coefficients_of(index: int) -> Callable[[int], bytes]:
    """What a client draws when it shares."""
    return lambda length: bytes([48 + index]) * length


def joined() -> dict[int, MaskingClient]:
    """The four clients."""
    return {index: MaskingClient.join(TERMS, roster(TERMS), index, secrets_of(index)) for index in range(1, 5)}


def record() -> dict[str, object]:
    """Run the sum, and keep everything."""
    server, clients = MaskingServer.open(TERMS, roster(TERMS)), joined()
    messages: dict[str, dict[int, str]] = {"advertisements": {}, "sharings": {}, "contributions": {}}
    messages |= {"confirmations": {}, "reveals": {}, "client_states": {}, "delivery_digests": {}}

    def keep(name: str, index: int, message: bytes) -> bytes:
        messages[name][index] = encode_base64url(message)
        return message

    for index, client in clients.items():
        server.advertise(keep("advertisements", index, client.advertise(key(index))))
    server.close()
    listed = server.participants()
    for index, client in clients.items():
        server.share(keep("sharings", index, client.share(listed, key(index), coefficients_of(index))))
    server.close()
    for index in VALUES:
        keep("delivery_digests", index, sha256(server.delivery(index)).digest())
        clients[index].receive(server.delivery(index))
        server.collect(keep("contributions", index, clients[index].contribute(VALUES[index])))
        keep("client_states", index, clients[index].to_bytes())
    server.close()
    for index in VALUES:
        server.confirm(keep("confirmations", index, clients[index].confirm(server.survivors(), key(index))))
    server.close()
    for index in VALUES:
        server.reveal(keep("reveals", index, clients[index].reveal(server.confirmations())))
    root = bytes([1]) * 32
    circle = Circle.of(TERMS, roster(TERMS), Participants.decode(listed, TERMS).advertisements)
    single = {
        "terms": TERMS.to_bytes(),
        "terms_digest": TERMS.digest,
        "pair_key_1": pair_key(TERMS, root).public_key,
        "pair_root_1": pair_root(TERMS, root),
        "pair_seed_1_2": pair_seed(TERMS, pair_root(TERMS, root), 1, 2),
        "circle_digest": circle.digest,
        "participants_digest": sha256(listed).digest(),
        "survivors": server.survivors(),
        "all_confirmations": server.confirmations(),
        "server_state_digest": sha256(server.to_bytes()).digest(),
    }
    encoded = {name: encode_base64url(value) for name, value in single.items()}
    return {**encoded, **messages, "levels": server.result().levels.tolist()}


if __name__ == "__main__":
    PATH.write_text(json.dumps(record(), indent=1) + "\n")
