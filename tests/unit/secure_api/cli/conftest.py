"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto import PrivateKey, SignatureAlgorithm, write_private_key
from secure_api.client import ClientProfile, ProfileStore
from tests.command_line import CommandLine, secure_api
from tests.unit.secure_api.cli.odd_server import OddServer, odd_server

__all__ = ["secure_api"]

KEY = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """An unencrypted Ed25519 key."""
    path = tmp_path / "key.pem"
    write_private_key(path, KEY, None)
    return path


@pytest.fixture
def odd(secure_api: CommandLine, key_file: Path) -> Iterator[OddServer]:
    """An odd server, and a profile `p` that points at it."""
    with odd_server() as server:
        ProfileStore(secure_api.config).put(ClientProfile("p", server.url, (key_file,)))
        yield server
