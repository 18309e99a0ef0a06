"""Profiles know their server's key: from init, from enrollment, and what happens when a server has another one."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto import PublicKey, read_private_key
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ProfileStore
from tests.cli.conftest import Consortium
from tests.cli.program import Program
from tests.cli.serving import serving

Unique = Callable[[str], str]
WRONG = "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"


@pytest.fixture
def program(consortium: Consortium) -> Program:
    """The program in front of the shared server."""
    return consortium.program


@pytest.fixture
def keyid(program: Program) -> str:
    """The keyid of the server's key, as its own file says."""
    return read_private_key(program.home / "server-key.pem", None).keyid


@pytest.fixture
def enrolling(consortium: Consortium, tmp_path: Path, unique: Unique) -> tuple[str | Path, ...]:
    """The words of an enrollment of a new key, but for the token."""
    key = tmp_path / "key.pem"
    consortium.program("keys", "generate", "-a", "ed25519", "-o", key, "--no-passphrase").ok()
    return "enroll", "--url", consortium.url, "--key", key, "--profile", unique("pinned")


def pinned(program: Program, profile: str) -> PublicKey | None:
    """The server's key that a profile knows."""
    return ProfileStore(program.config).get(profile).read_server_key()


def test_init_pins_the_key_that_it_made(program: Program, keyid: str) -> None:
    admin = ProfileStore(program.config).get("admin")
    assert admin.server_key is not None
    assert admin.server_key.parent == admin.keys[0].parent
    assert stat.S_IMODE(admin.server_key.stat().st_mode) == 0o600
    server = pinned(program, "admin")
    assert server is not None
    assert server.keyid == keyid
    assert "warning" not in program("organizations", "list").ok().said


def test_a_token_comes_with_the_servers_keyid(program: Program, keyid: str) -> None:
    words = ("tokens", "create", "-O", "clinic", "-r", "analyst")
    assert f"--server-keyid={keyid}" in program(*words).ok().said
    assert program(*words, "--json").ok().json()["server_keyid"] == keyid


def test_enrollment_trusts_what_it_is_told_or_demands_a_key(
    program: Program, enrolling: tuple[str | Path, ...], keyid: str, token: str
) -> None:
    profile = str(enrolling[-1])
    program(*enrolling, "--token", token, f"--server-keyid={WRONG}").failed(ExitCode.REFUSED, WRONG, keyid)
    assert profile not in ProfileStore(program.config).load()
    done = program(*enrolling, "--token", token, "--server-keyid", keyid).ok()
    assert "as http" not in done.said
    server = pinned(program, profile)
    assert server is not None
    assert server.keyid == keyid
    again = program(*enrolling, "--existing", "--force").ok()
    (line,) = (line for line in again.lines if keyid in line)
    assert "whoever runs the server can say whether it is" in line


@pytest.mark.parametrize("option", [(), ("--seal",), ("--no-seal",)])
def test_an_enrollment_is_sealed_where_the_server_can_open_it(
    consortium: Consortium, enrolling: tuple[str | Path, ...], token: str, option: tuple[str, ...]
) -> None:
    done = consortium.program(*enrolling, "--token", token, *option, "--json").ok()
    assert done.json()["organization"] == "clinic"


def test_a_profile_that_cannot_be_written_leaves_the_client_findable(
    program: Program, enrolling: tuple[str | Path, ...], tmp_path: Path, token: str
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "keys").write_text("a file is in the way")
    program(*enrolling, "--token", token, "--config", config).failed(ExitCode.KEY, "cannot write")
    (config / "keys").unlink()
    (config / "keys").mkdir()
    program(*enrolling, "--token", token, "--config", config).ok()
    names = sorted(path.name for path in (config / "keys").iterdir())
    assert len(names) == 1
    assert names[0].startswith(f"{enrolling[-1]}.server-")


def test_a_server_with_another_key_is_not_believed(consortium: Consortium, tmp_path: Path) -> None:
    other = Program(tmp_path / "home", tmp_path / "config")
    other.spawn("init", "--no-passphrase").ok()
    mine = Program(consortium.program.home, tmp_path / "mine")
    clinic = ProfileStore(consortium.program.config).get("clinic")
    ProfileStore(mine.config).put(clinic)
    with serving(other) as server:
        profiles = mine.config / "profiles.toml"
        profiles.write_text(profiles.read_text().replace(clinic.url, server.url))
        other_key = pinned(other, "admin")
        assert other_key is not None
        # It does not know this client either: a refusal is all that it may say without a signature.
        mine("keys", "list", "-p", "clinic").failed(ExitCode.CLIENT_ERROR, "401")
        mine("ledger", "head", "-p", "clinic").failed(ExitCode.CLIENT_ERROR, "401")
        mine("keys", "pin", "-p", "clinic", f"--server-keyid={WRONG}").failed(ExitCode.REFUSED)
        assert mine("keys", "pin", "-p", "clinic").ok().out.strip() == other_key.keyid
        admin_of_other = ProfileStore(other.config).get("admin")
        assert admin_of_other.server_key is not None
        admin_of_other.server_key.write_bytes(clinic.read_server_key().pem())  # type: ignore[union-attr]
        done = other("organizations", "list").failed(ExitCode.REFUSED, "is not the server's", "nothing of it")
        assert done.out == ""
        other("ledger", "head", "-p", "admin").failed(ExitCode.REFUSED)
        other("keys", "pin", "-p", "admin", f"--server-keyid={other_key.keyid}").ok()
        other("organizations", "list").ok()


def test_a_rotation_is_held_to_the_servers_key(
    consortium: Consortium, enrolling: tuple[str | Path, ...], tmp_path: Path, token: str
) -> None:
    program, profile = consortium.program, str(enrolling[-1])
    program(*enrolling, "--token", token).ok()
    program("keys", "generate", "-a", "ed25519", "-o", tmp_path / "new.pem", "--no-passphrase").ok()
    done = program("keys", "rotate", "-p", profile, "--key", tmp_path / "new.pem").ok()
    assert "warning" not in done.said
    assert pinned(program, profile) == pinned(program, "admin")
