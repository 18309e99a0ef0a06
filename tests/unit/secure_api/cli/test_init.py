"""`init`: all of it or nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from crypto import read_private_key
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.undo import Undo
from secure_api.client import ClientProfile, ProfileStore
from secure_api.domain.errors import Conflict
from secure_api.services import ledger
from tests.command_line import CommandLine


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but for locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


def test_what_it_makes_is_private(secure_api: CommandLine, tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    report = secure_api.ok("init", "--home", home, "--operator", "alliance", "--url", "https://api.example/", "--json")
    assert {path.name for path in home.iterdir()} == {"secure-api.db", "server-key.pem", "server.passphrase"}
    for folder in (home, secure_api.config):
        for path in folder.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    admin = ProfileStore(secure_api.config).get("admin")
    assert (admin.url, admin.organization, admin.role) == ("https://api.example", "alliance", "admin")
    (key,) = admin.read_keys()
    assert key.keyid == report.json["admin"]["keyid"]
    server = read_private_key(home / "server-key.pem", (home / "server.passphrase").read_bytes().strip())
    assert server.keyid == report.json["server_keyid"]
    assert (home / "server.passphrase").read_bytes() != (admin.passphrase_file or home).read_bytes()


def test_a_second_time_is_one_line(secure_api: CommandLine, tmp_path: Path) -> None:
    secure_api.ok("init", "--home", tmp_path / "home", "--no-passphrase")
    before = tree(tmp_path / "home"), tree(secure_api.config)
    assert "is initialized already" in secure_api("init", "--home", tmp_path / "home").error(ExitCode.FAILURE)
    other = secure_api("init", "--home", tmp_path / "other", "--no-passphrase")
    assert "there is a profile admin" in other.error(ExitCode.KEY)
    assert not (tmp_path / "other").exists()
    assert (tree(tmp_path / "home"), tree(secure_api.config)) == before
    secure_api.ok("init", "--home", tmp_path / "other", "--no-passphrase", "--force")


@pytest.mark.parametrize("initialized_database", [False, True])
def test_a_failure_leaves_nothing(
    secure_api: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, initialized_database: bool
) -> None:
    ProfileStore(secure_api.config).put(ClientProfile("old", "https://old.example", (Path("/k"),)))
    before = tree(secure_api.config)
    home = tmp_path / "deep" / "home"
    if initialized_database:
        home.mkdir(parents=True)
        secure_api.ok("init", "--home", tmp_path / "other", "--no-passphrase", "--config", tmp_path / "config")
        (home / "secure-api.db").write_bytes((tmp_path / "other" / "secure-api.db").read_bytes())
        database = (home / "secure-api.db").read_bytes()
        assert "initialized already" in secure_api("init", "--home", home).error(ExitCode.FAILURE)
        assert tree(home) == {"secure-api.db": database}
    else:

        async def fail(*_arguments: object, **_options: object) -> None:
            raise Conflict("no luck")

        monkeypatch.setattr(ledger, "sign_head", fail)
        assert secure_api("init", "--home", home).error(ExitCode.FAILURE) == "no luck"
        assert not (tmp_path / "deep").exists()
    assert tree(secure_api.config) == before
    assert not (secure_api.config / "keys").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--operator", ""], 2),
        (["--operator", "a b"], 2),
        (["--url", "api.example"], 2),
        (["--url", "https://api.example/?x"], 2),
        (["--algorithm", "rsa"], 2),
        (["--passphrase-file", "/absent"], 7),
    ],
)
def test_what_is_refused_before_anything_is_made(
    secure_api: CommandLine, tmp_path: Path, arguments: list[str], status: int
) -> None:
    secure_api("init", "--home", tmp_path / "home", *arguments).error(status)
    assert not (tmp_path / "home").exists()
    assert tree(secure_api.config) == {}


def test_homes_that_cannot_be(secure_api: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    secure_api("init", "--home", tmp_path / "file" / "home", "--no-passphrase").error(ExitCode.FAILURE)
    secure_api("init", "--home", "/proc/home", "--no-passphrase").error(ExitCode.FAILURE)
    assert tree(secure_api.config) == {}


def test_a_broken_profile_file_is_not_touched(secure_api: CommandLine, tmp_path: Path) -> None:
    (secure_api.config / "profiles.toml").write_text("[broken")
    assert "cannot be read" in secure_api("init", "--home", tmp_path / "home").error(ExitCode.KEY)
    assert not (tmp_path / "home").exists()


def test_a_passphrase_of_the_person(secure_api: CommandLine, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)
    said = secure_api.ok("init", "--home", tmp_path / "home", "--passphrase-file", secret).err
    assert f"next: secure-api serve --home {tmp_path}/home --passphrase-file {secret}" in said
    assert not (tmp_path / "home" / "server.passphrase").exists()
    read_private_key(tmp_path / "home" / "server-key.pem", b"correct horse battery")
    assert ProfileStore(secure_api.config).get("admin").read_keys()
    assert "passphrase is needed" in secure_api("ledger", "verify", "--home", tmp_path / "home").error(ExitCode.FAILURE)
    secure_api.ok("ledger", "verify", "--home", tmp_path / "home", "--passphrase-file", secret)


def test_a_weak_setting_is_one_line(secure_api: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_SIGNATURE_MAX_WINDOW", "3600")
    for command in (["init"], ["serve"], ["migrate"], ["ledger", "verify"]):
        message = secure_api(*command, "--home", tmp_path / "home").error(ExitCode.FAILURE)
        assert message.startswith("SECURE_API_SIGNATURE_MAX_WINDOW: ")
    monkeypatch.delenv("SECURE_API_SIGNATURE_MAX_WINDOW")
    for command in (["serve"], ["migrate"], ["ledger", "verify"]):
        assert "is not initialized" in secure_api(*command, "--home", tmp_path / "home").error(ExitCode.FAILURE)
    assert not (tmp_path / "home").exists()


def test_undo_takes_back_its_own_and_nothing_else(tmp_path: Path) -> None:
    kept, changed = tmp_path / "kept", tmp_path / "changed"
    kept.write_text("kept")
    changed.write_text("before")

    def make_and_fail() -> None:
        with Undo() as undo:
            undo.folder(tmp_path / "a" / "b")
            undo.folder(tmp_path / "c")
            undo.made(tmp_path / "a" / "b" / "made", tmp_path / "never")
            (tmp_path / "a" / "b" / "made").write_text("")
            (tmp_path / "c" / "theirs").write_text("")
            undo.will_change(changed)
            undo.will_change(tmp_path / "new")
            changed.write_text("after")
            (tmp_path / "new").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_and_fail()
    assert sorted(os.listdir(tmp_path)) == ["c", "changed", "kept"]
    assert changed.read_text() == "before"


def test_undo_keeps_everything_when_all_is_well(tmp_path: Path) -> None:
    with Undo() as undo:
        undo.folder(tmp_path / "a")
        undo.made(tmp_path / "a" / "made")
        (tmp_path / "a" / "made").write_text("")
    assert (tmp_path / "a" / "made").exists()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
