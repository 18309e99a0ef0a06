"""A stolen database: it yields no key of a session, nor of sealing, without the storage key that is not in it."""

from __future__ import annotations

import shutil
import sys
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto import (
    CryptoError,
    SealingPrivateKey,
    SessionKeys,
    StorageKey,
    UnsealingError,
    sealing_kid,
    write_secret_file,
)
from secure_api.services.session_keeper import secret_purpose
from tests.attacks import sql
from tests.attacks.handshake import Held, open_session
from tests.attacks.scene import Scene
from tests.attacks.seal import fresh_reply_key, published, seal_to, seal_within
from tests.consortium import ADMIN_SEED, SERVER_SEED, STORAGE_KEY, Message
from tests.services.fixtures.port import free_port
from tests.services.fixtures.process import ProcessRunner
from tests.vectors.hkdf import expand

LABEL = b"secure-api session v1 "
PURPOSES = (b"client mac", b"server mac", b"client aead", b"server aead", b"rekey")


def stolen(scene: Scene) -> bytes:
    """Everything that a thief of the database has: every value of every row, and SQLite's files as they lie there."""
    scheme, _, path = scene.server.url.partition(":///")
    values = [_bytes(value) for rows in sql.read(scene.server.url).values() for row in rows for value in row.values()]
    files = sorted(Path(path).parent.glob("secure-api.*")) if scheme.startswith("sqlite") else []
    return b"\0".join(values + [file.read_bytes() for file in files])


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()


def spellings(secret: bytes) -> Iterator[bytes]:
    """The ways in which a secret could lie there, whole or in half."""
    for part in (secret, secret[: len(secret) // 2], secret[len(secret) // 2 :]):
        yield part
        yield part[::-1]
        yield part.hex().encode()
        yield part.hex().upper().encode()
        yield str(int.from_bytes(part)).encode()
    yield b64encode(secret).rstrip(b"=")
    yield urlsafe_b64encode(secret).rstrip(b"=")
    yield repr(secret).encode()


def seeds(scene: Scene) -> dict[int, bytes]:
    """The seeds of sealing, by generation, as the holder of the storage key reads them."""
    return {
        row["generation"]: STORAGE_KEY.decrypt(row["seed"], f"secure-api sealing key v1 {row['generation']}")
        for row in sql.read(scene.server.url)["sealing_keys"]
    }


def row_of(scene: Scene, held: Held) -> dict[str, Any]:
    """The row of a session."""
    return next(row for row in sql.read(scene.server.url)["sessions"] if row["id"] == held.id)


def assert_absent(secret: bytes, loot: bytes) -> None:
    """Check that a secret is nowhere in the loot, however it might be written."""
    assert len(secret) >= 32
    for spelling in spellings(secret):
        assert spelling not in loot


def test_what_is_looked_for_would_be_found(scene: Scene) -> None:
    """The search finds what is known to be there: the encrypted secret, the session's name, the public keys."""
    held = open_session(scene)
    loot = stolen(scene)
    assert row_of(scene, held)["secret"] in loot
    assert held.id.encode() in loot
    assert published(scene).kid.encode() in loot
    assert scene.victim.key.public_key.raw in loot


def test_no_key_of_a_session_is_in_it(scene: Scene) -> None:
    held = open_session(scene)
    scene.accept(seal_within(held.forge(), held).message())
    loot = stolen(scene)
    assert_absent(held.secret, loot)
    for purpose in PURPOSES:
        assert_absent(expand(held.secret, LABEL + purpose, 32), loot)


def test_no_seed_of_sealing_is_in_it(scene: Scene) -> None:
    scene.accept(seal_to(scene.forge(), published(scene), fresh_reply_key()).message())
    loot, found = stolen(scene), seeds(scene)
    assert {sealing_kid(SealingPrivateKey(seed).public_key) for seed in found.values()} >= {published(scene).kid}
    for seed in found.values():
        assert_absent(seed, loot)


def test_no_key_of_the_server_is_in_it(scene: Scene) -> None:
    loot = stolen(scene)
    for secret in (SERVER_SEED, ADMIN_SEED, b64decode(STORAGE_KEY.text)):
        assert_absent(secret, loot)


def test_no_secret_is_in_what_the_server_says(scene: Scene) -> None:
    """Neither in its log, also when a request fails, nor in its metrics."""
    held = open_session(scene)
    scene.accept(seal_within(held.forge(), held).message())
    scene.refuse(seal_within(held.forge(), held, nonce="x").message(), 400, "sealed-body-rejected", nonces=1)
    metrics = scene.send(Message("GET", "/metrics", (("host", scene.server.authority),), b""))
    said = scene.server.process.output().encode() + metrics.body
    assert scene.server.log("request"), "it does log"
    for secret in (held.secret, b64decode(STORAGE_KEY.text), SERVER_SEED, *seeds(scene).values()):
        assert_absent(secret, said)
    for purpose in PURPOSES:
        assert_absent(expand(held.secret, LABEL + purpose, 32), said)


def test_the_storage_key_of_this_home_opens_it_and_no_other(scene: Scene) -> None:
    held = open_session(scene)
    encrypted = row_of(scene, held)["secret"]
    assert STORAGE_KEY.decrypt(encrypted, secret_purpose(held.id)) == held.secret
    for other in (StorageKey.generate(), StorageKey(bytes(32)), StorageKey(SERVER_SEED), StorageKey(b"\xff" * 32)):
        with pytest.raises(UnsealingError):
            other.decrypt(encrypted, secret_purpose(held.id))


def test_what_was_encrypted_for_one_session_or_seed_does_not_pass_for_another(scene: Scene) -> None:
    held, other = open_session(scene), open_session(scene)
    encrypted = row_of(scene, held)["secret"]
    for purpose in (secret_purpose(other.id), secret_purpose(""), "", "secure-api sealing key v1 0"):
        with pytest.raises(UnsealingError):
            STORAGE_KEY.decrypt(encrypted, purpose)
    for row in sql.read(scene.server.url)["sealing_keys"]:
        for purpose in (secret_purpose(held.id), f"secure-api sealing key v1 {row['generation'] + 1}"):
            with pytest.raises(UnsealingError):
                STORAGE_KEY.decrypt(row["seed"], purpose)


def test_an_encrypted_secret_that_was_changed(scene: Scene) -> None:
    held = open_session(scene)
    encrypted = row_of(scene, held)["secret"]
    for changed in (b"", encrypted[:-1], encrypted + b"\0", bytes(len(encrypted)), encrypted[:12], encrypted[12:]):
        with pytest.raises(CryptoError):
            SessionKeys.derive(held.id, STORAGE_KEY.decrypt(changed, secret_purpose(held.id)))


def test_a_secret_moved_to_another_session(scene: Scene) -> None:
    """Whoever can write to the database as well, and not read the storage key, cannot take a session over."""
    held, own, untouched = open_session(scene, scene.admin), open_session(scene, scene.rival), open_session(scene)
    sql.execute(
        scene.server.url,
        f"UPDATE sessions SET secret = (SELECT secret FROM sessions WHERE id = '{own.id}') WHERE id = '{held.id}'",
    )
    renamed = own.forge().giving(keyid=f'"{held.id}"')
    for message in (held.message(), renamed.message(), own.forge(authority=held.authority).message(bytes(32))):
        scene.disbelieve(message, "unusable-session", "invalid-signature")
    scene.accept(untouched.message())
    scene.accept(own.message())


@pytest.mark.parametrize("size", [0, 1, 28, 60])
def test_a_secret_overwritten_with_zeros(scene: Scene, size: int) -> None:
    held = open_session(scene)
    digits = "00" * size
    literal = f"x'{digits}'" if scene.server.url.startswith("sqlite") else f"'\\x{digits}'"
    sql.execute(scene.server.url, f"UPDATE sessions SET secret = {literal} WHERE id = '{held.id}'")
    zeros = SessionKeys.derive(held.id, bytes(32))
    for forgery in (held.forge(), held.forge().but(key=zeros.client_mac)):
        scene.disbelieve(forgery.message(), "unusable-session")


def test_a_server_of_another_home_does_not_start_on_it(
    scene: Scene, run_process: ProcessRunner, tmp_path: Path
) -> None:
    """A stolen database behind the thief's own server, with the stolen signing key even."""
    home = tmp_path / "thief"
    home.mkdir(mode=0o700)
    write_secret_file(home / "storage.key", StorageKey.generate().text.encode())
    shutil.copy2(scene.server.home / "server-key.pem", home / "server-key.pem")
    url = scene.server.url
    if url.startswith("sqlite"):
        sql.execute(url, "PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy2(scene.server.home / "secure-api.db", home / "secure-api.db")
        url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
    before = scene.state()
    process = run_process(
        *(sys.executable, "-m", "secure_api", "serve", "--host", "127.0.0.1", "--port", str(free_port())),
        env={"SECURE_API_HOME": str(home), "SECURE_API_DATABASE_URL": url},
    )
    assert process.wait() != 0
    assert "the storage key is not the one" in process.output().lower()
    assert scene.state() == before
