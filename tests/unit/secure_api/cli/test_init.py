"""`init`: all of it or nothing."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

import pytest

from crypto import read_private_key
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.undo import Undo
from secure_api.client import ClientProfile, ProfileStore
from secure_api.domain.errors import Conflict
from secure_api.services import ledger
from tests.cli.program import Program


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but for locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


def test_a_second_time_is_one_line(program: Program, tmp_path: Path) -> None:
    program("init", "--home", tmp_path / "home", "--no-passphrase").ok()
    before = tree(tmp_path / "home"), tree(program.config)
    assert "is initialized already" in program("init", "--home", tmp_path / "home").failed(ExitCode.FAILURE).error
    other = program("init", "--home", tmp_path / "other", "--no-passphrase")
    assert "there is a profile admin" in other.failed(ExitCode.KEY).error
    assert not (tmp_path / "other").exists()
    assert (tree(tmp_path / "home"), tree(program.config)) == before
    program("init", "--home", tmp_path / "other", "--no-passphrase", "--force").ok()


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://127.0.0.1:9000", ["--port", "9000"]),
        ("http://localhost", ["--port", "80"]),
        ("http://[::1]:9000", ["--host", "::1", "--port", "9000"]),
        ("http://10.0.0.7:8000/", ["--host", "10.0.0.7", "--port", "8000"]),
        ("https://api.example.org", []),  # TLS ends at a proxy, which alone knows where the server listens
    ],
)
def test_the_server_is_to_serve_where_the_profile_looks_for_it(
    program: Program, tmp_path: Path, url: str, options: list[str]
) -> None:
    said = program("init", "--home", tmp_path / "home", "--no-passphrase", "--url", url).ok().said
    assert said.splitlines()[-1] == shlex.join(["next:", "secure-api", "serve", "--home", f"{tmp_path}/home", *options])


@pytest.mark.parametrize("command", [["init"], ["serve"], ["migrate"], ["ledger", "verify"], ["doctor"]])
def test_a_folder_without_a_name_is_refused(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "the name of the folder is empty" in program(*command, "--home", "").failed(ExitCode.USAGE).error
    (tmp_path / "file").touch()
    assert "file is a file" in program(*command, "--home", tmp_path / "file").failed(ExitCode.USAGE).error
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    assert "is empty" in program("ledger", "show", "--config", "").failed(ExitCode.USAGE).error


@pytest.mark.parametrize("initialized_database", [False, True])
def test_a_failure_leaves_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, initialized_database: bool
) -> None:
    ProfileStore(program.config).put(ClientProfile("old", "https://old.example", (Path("/k"),)))
    before = tree(program.config)
    home = tmp_path / "deep" / "home"
    if initialized_database:
        home.mkdir(parents=True)
        program("init", "--home", tmp_path / "other", "--no-passphrase", "--config", tmp_path / "config").ok()
        (home / "secure-api.db").write_bytes((tmp_path / "other" / "secure-api.db").read_bytes())
        database = (home / "secure-api.db").read_bytes()
        assert "initialized already" in program("init", "--home", home).failed(ExitCode.FAILURE).error
        assert tree(home) == {"secure-api.db": database}
    else:

        async def fail(*_arguments: object, **_options: object) -> None:
            raise Conflict("no luck")

        monkeypatch.setattr(ledger, "sign_head", fail)
        assert program("init", "--home", home).failed(ExitCode.FAILURE).error == "no luck"
        assert not (tmp_path / "deep").exists()
    assert tree(program.config) == before
    assert not (program.config / "keys").exists()


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
    program: Program, tmp_path: Path, arguments: list[str], status: int
) -> None:
    program("init", "--home", tmp_path / "home", *arguments).failed(status)
    assert not (tmp_path / "home").exists()
    assert tree(program.config) == {}


def test_a_passphrase_of_the_person(program: Program, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)
    said = program("init", "--home", tmp_path / "home", "--passphrase-file", secret).ok().said
    assert f"next: secure-api serve --home {tmp_path}/home --passphrase-file {secret}" in said
    assert not (tmp_path / "home" / "server.passphrase").exists()
    read_private_key(tmp_path / "home" / "server-key.pem", b"correct horse battery")
    assert ProfileStore(program.config).get("admin").read_keys()
    refused = program("ledger", "verify", "--home", tmp_path / "home").failed(ExitCode.KEY)
    assert "passphrase is needed" in refused.error
    program("ledger", "verify", "--home", tmp_path / "home", "--passphrase-file", secret).ok()


def test_a_weak_setting_is_one_line(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_SIGNATURE_MAX_WINDOW", "3600")
    verify = (["ledger", "verify"], ExitCode.KEY)
    for command, status in (
        (["init"], ExitCode.FAILURE),
        (["serve"], ExitCode.FAILURE),
        (["migrate"], ExitCode.FAILURE),
        verify,
    ):
        message = program(*command, "--home", tmp_path / "home").failed(status).error
        assert message.startswith("SECURE_API_SIGNATURE_MAX_WINDOW: ")
    monkeypatch.delenv("SECURE_API_SIGNATURE_MAX_WINDOW")
    for command, status in ((["serve"], ExitCode.FAILURE), (["migrate"], ExitCode.FAILURE), verify):
        assert "is not initialized" in program(*command, "--home", tmp_path / "home").failed(status).error
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
