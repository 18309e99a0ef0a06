"""What the worked example of docs/protocol.md starts from: seeds, nonces, times, and what is said."""

from __future__ import annotations

from typing import Any, Final


def _bytes(first: int, length: int) -> str:
    return bytes(range(first, first + length)).hex()


GIVEN: Final[dict[str, Any]] = {
    "authority": "api.example.org",
    "created": 1795386600,
    "expires": 1795386660,
    "answered": 1795386601,
    "seeds": {
        "client ml-dsa-65": _bytes(0x00, 32),
        "client ed25519": _bytes(0x20, 32),
        "server ml-dsa-65": _bytes(0x40, 32),
        "handshake x-wing": _bytes(0x60, 32),
        "rekey ml-kem-768": _bytes(0x80, 64),
        "sealing x-wing": _bytes(0xC0, 32),
        "reply x-wing": _bytes(0xE0, 32),
    },
    "aead_nonces": {"request": _bytes(0x10, 12), "answer": _bytes(0x30, 12)},
    "session": {"idle_timeout": 600, "max_requests": 100000, "max_bytes": 1073741824},
    "session_expires": 1795390201,
    "sealing_key": {"created": 1795384800, "retires": 1795392300, "expires": 1795395900},
    "exchanges": {
        "signed": {
            "method": "POST",
            "path": "/v1/datasets",
            "query": "",
            "nonces": ["first-nonce-ml-dsa", "first-nonce-ed25519"],
            "body": '{"name":"vitals"}',
            "status": 201,
            "answer": '{"name":"vitals","created":"2026-11-22T22:30:01Z"}',
        },
        "handshake": {
            "method": "POST",
            "path": "/v1/sessions",
            "query": "",
            "nonces": ["second-nonce-ml-dsa", "second-nonce-ed25519"],
            "status": 201,
            "session": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
        },
        "in_session": {
            "method": "GET",
            "path": "/v1/datasets",
            "query": "",
            "nonces": ["third-nonce"],
            "body": "",
            "status": 200,
            "answer": '{"datasets":[{"name":"vitals","created":"2026-11-22T22:30:01Z"}]}',
        },
        "sealed_in_session": {
            "method": "POST",
            "path": "/v1/datasets/vitals/records",
            "query": "",
            "nonces": ["fourth-nonce"],
            "body": '{"time":"2026-11-22T22:30:00Z","attributes":{"pulse":61}}',
            "status": 201,
            "answer": '{"accepted":1}',
        },
        "rekey": {
            "method": "POST",
            "path": "/v1/sessions/AAECAwQFBgcICQoLDA0ODxAREhMUFRYX/rekey",
            "query": "",
            "nonces": ["fifth-nonce"],
            "status": 201,
            "session": "GBkaGxwdHh8gISIjJCUmJygpKissLS4v",
        },
        "sealed": {
            "method": "GET",
            "path": "/v1/datasets/vitals/records",
            "query": "limit=1",
            "nonces": ["sixth-nonce-ml-dsa", "sixth-nonce-ed25519"],
            "body": "",
            "status": 200,
            "answer": '{"records":[{"time":"2026-11-22T22:30:00Z","attributes":{"pulse":61}}],"next":null}',
        },
    },
}
