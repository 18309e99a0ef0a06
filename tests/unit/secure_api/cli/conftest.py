"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto import PrivateKey, SignatureAlgorithm, write_private_key
from secure_api.client import ClientProfile, ProfileStore
from tests.cli.program import Program
from tests.unit.secure_api.cli.odd_server import OddServer, odd_server

KEY = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32))
SERVER_KEY = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(32))).public_key
DISCOVERY = ("GET", "/.well-known/secure-api")
UNPINNED = (
    "warning: profile p knows no key of its server, so no answer is verified; to add it: "
    "secure-api keys pin --profile p\n"
)


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program on folders of its own: a home that is not there yet, no profiles."""
    folder = tmp_path_factory.mktemp("program")
    return Program(folder / "home", folder / "config")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """An unencrypted Ed25519 key."""
    path = tmp_path / "key.pem"
    write_private_key(path, KEY, None)
    return path


@pytest.fixture
def odd(program: Program, key_file: Path) -> Iterator[OddServer]:
    """An odd server, and a profile `p` that points at it."""
    with odd_server() as server:
        ProfileStore(program.config).put(ClientProfile("p", server.url, (key_file,)))
        yield server
