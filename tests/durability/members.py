"""The clients who write."""

from __future__ import annotations

import json

from crypto import PrivateKey, SignatureAlgorithm
from tests.attacks.wire import exchange
from tests.consortium import OPERATOR, admin_key, enrollment
from tests.durability.writer import sign
from tests.services.fixtures.secure_api_server import SecureApiServer


def contributors(server: SecureApiServer, count: int) -> list[PrivateKey]:
    """Enroll contributors of the operator's organization, and create the dataset that they write to."""
    keys = [PrivateKey.generate(SignatureAlgorithm.ML_DSA_44) for _ in range(count)]
    for key in keys:
        token = _created(server, admin_key(), "/v1/tokens", {"organization": OPERATOR, "role": "contributor"})["token"]
        _created(server, key, "/v1/clients", enrollment(token, [key]))
    _created(server, keys[0], "/v1/datasets", {"name": "durable"})
    return keys


def _created(server: SecureApiServer, key: PrivateKey, path: str, body: dict[str, object]) -> dict[str, str]:
    reply = exchange(server.port, sign(server, key, "POST", path, json.dumps(body).encode()))
    assert reply.status == 201, reply
    created: dict[str, str] = reply.json
    return created
