"""`secure-api keys generate` and `show`: key files are whole, private, encrypted, and never overwritten unasked."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from crypto import PrivateKey, PublicKey, SignatureAlgorithm, read_private_key
from tests.cli.program import Program

PASSPHRASE = "correct horse battery"


@pytest.fixture
def key(program: Program, tmp_path: Path) -> Path:
    """An unencrypted Ed25519 key."""
    path = tmp_path / "key.pem"
    program("keys", "generate", "-a", "ed25519", "-o", path, "--no-passphrase").ok()
    return path


@pytest.mark.parametrize("algorithm", SignatureAlgorithm)
def test_every_algorithm(program: Program, tmp_path: Path, algorithm: SignatureAlgorithm) -> None:
    path = tmp_path / "new" / "key.pem"
    done = program("keys", "generate", "--algorithm", algorithm, "--out", path, "--no-passphrase").ok()
    key = read_private_key(path, None)
    assert (key.algorithm, key.keyid) == (algorithm, done.out.strip())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (
        type(load_pem_private_key(path.read_bytes(), None)).__name__.upper().startswith(algorithm.name.replace("_", ""))
    )


def test_ml_dsa_65_is_the_default_and_json_says_so(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    report = program("keys", "generate", "--out", path, "--no-passphrase", "--json").ok().json()
    assert report == {
        "keyid": read_private_key(path, None).keyid,
        "algorithm": "ml-dsa-65",
        "file": str(path),
    }


@pytest.mark.parametrize("source", ["environment", "file"])
def test_the_passphrase_encrypts(program: Program, tmp_path: Path, source: str) -> None:
    path, secret = tmp_path / "key.pem", tmp_path / "secret"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o600)
    if source == "environment":
        program("keys", "generate", "--out", path, env={"SECURE_API_PASSPHRASE": PASSPHRASE}).ok()
    else:
        program("keys", "generate", "--out", path, "--passphrase-file", secret).ok()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()
    keyid = read_private_key(path, PASSPHRASE.encode()).keyid
    assert keyid in program("keys", "show", path, env={"SECURE_API_PASSPHRASE": PASSPHRASE}).ok().out
    program("keys", "show", path).failed(7, "is encrypted", "SECURE_API_PASSPHRASE")
    program("keys", "show", path, env={"SECURE_API_PASSPHRASE": "wrong horse battery"}).failed(
        7, "passphrase is wrong", "(the passphrase came from SECURE_API_PASSPHRASE)"
    )
    secret.write_text("wrong horse battery\n")
    program("keys", "show", path, "--passphrase-file", secret, env={"SECURE_API_PASSPHRASE": PASSPHRASE}).failed(
        7, "passphrase is wrong", f"(the passphrase came from {secret})"
    )


def test_without_a_passphrase_no_key_is_made(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    program("keys", "generate", "--out", path).failed(7, "needs a passphrase", "--no-passphrase")
    program.spawn("keys", "generate", "--out", path).failed(7, "needs a passphrase")
    program("keys", "generate", "--out", path, env={"SECURE_API_PASSPHRASE": "short"}).failed(7, "12 characters")
    assert not path.exists()


def test_a_passphrase_counts_in_characters(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    program("keys", "generate", "--out", path, env={"SECURE_API_PASSPHRASE": "ü" * 11}).failed(7, "12 characters")
    program("keys", "generate", "--out", path, env={"SECURE_API_PASSPHRASE": "ü" * 12}).ok()


@pytest.mark.parametrize(("content", "mode", "reason"), [("", 0o600, "is empty"), (PASSPHRASE, 0o644, "open to other")])
def test_a_bad_passphrase_file(program: Program, tmp_path: Path, content: str, mode: int, reason: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(content)
    secret.chmod(mode)
    path = tmp_path / "key.pem"
    program("keys", "generate", "--out", path, "--passphrase-file", secret).failed(7, reason, str(secret))
    program("keys", "generate", "--out", path, "--passphrase-file", tmp_path / "absent").failed(7, "absent")
    assert not path.exists()


def test_a_key_is_not_overwritten_unasked(program: Program, key: Path) -> None:
    before = key.read_bytes()
    again = ("keys", "generate", "-a", "ed25519", "-o", key, "--no-passphrase")
    program(*again).failed(7, "is there already", "--force")
    assert key.read_bytes() == before
    program(*again, "--force").ok()
    assert key.read_bytes() != before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_where_a_key_cannot_be_written(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    program("keys", "generate", "-o", tmp_path / "file" / "key.pem", "--no-passphrase").failed(7, "cannot")
    program("keys", "generate", "-o", tmp_path, "--no-passphrase", "--force").failed(2)
    program("keys", "generate", "-o", Path("/proc/key.pem"), "--no-passphrase").failed(7, "cannot write")


def test_every_face_of_a_key(program: Program, tmp_path: Path, key: Path) -> None:
    public = read_private_key(key, None).public_key
    shown = program("keys", "show", key).ok().out
    assert shown.split("\t")[:2] == [public.keyid, "ed25519"]
    assert program("keys", "show", key, "--json").ok().json()["keyid"] == public.keyid
    assert PublicKey.from_jwk(program("keys", "show", key, "--jwk").ok().json()) == public
    assert PublicKey.from_pem(program("keys", "show", key, "--public-pem").ok().stdout) == public
    for name, option in (("public.pem", "--public-pem"), ("public.jwk", "--jwk")):
        (tmp_path / name).write_bytes(program("keys", "show", key, option).ok().stdout)
        assert program("keys", "show", tmp_path / name).ok().out == shown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00 not a key",
        b"{",
        b"{}",
        b"[1]",
        b"[" * 20_000,
        b'{"kty": "OKP", "crv": "Ed25519", "x": 7}',
        b'{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"}',
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    ],
)
def test_what_is_no_key(program: Program, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    program("keys", "show", path).failed(7)


def test_a_jwk_with_the_private_member_is_refused(program: Program, tmp_path: Path) -> None:
    key = PrivateKey.generate(SignatureAlgorithm.ED25519)
    (tmp_path / "key.jwk").write_text(json.dumps({**key.public_key.jwk(), "d": "AAAA"}))
    said = program("keys", "show", tmp_path / "key.jwk").failed(7, "private").said
    assert "AAAA" not in said


def test_files_that_are_not_to_be_read(program: Program, tmp_path: Path, key: Path) -> None:
    program("keys", "show", tmp_path / "absent.pem").failed(7, "absent.pem")
    program("keys", "show", tmp_path).failed(2)
    program("keys", "show", Path("/dev/zero")).failed(7, "/dev/zero")
    key.chmod(0o640)
    program("keys", "show", key).failed(7, "open to other users", "chmod 600")


def test_a_passphrase_is_asked_for_on_a_terminal(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    status, screen = program.on_terminal("keys", "generate", "--out", path, typed=[PASSPHRASE, PASSPHRASE])
    assert status == 0, screen
    assert f"Passphrase for {path} (12 characters at least): " in screen
    assert PASSPHRASE not in screen
    keyid = read_private_key(path, PASSPHRASE.encode()).keyid
    status, screen = program.on_terminal("keys", "show", path, typed=[PASSPHRASE])
    assert status == 0, screen
    assert keyid in screen
    assert "ml-dsa-65" in screen
    status, screen = program.on_terminal("keys", "show", path, typed=["wrong horse battery"])
    assert (status, "passphrase is wrong" in screen) == (7, True), screen
    assert "(the passphrase was entered here)" in screen
