"""`secure-api init`: everything is made, private and once; or nothing is."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from crypto import PassphraseError, SignatureAlgorithm, read_private_key
from secure_api.client import ProfileStore
from tests.cli.program import Program

PASSPHRASE = "correct horse battery"


def tree(folder: Path) -> list[str]:
    """Every file and folder below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_everything_is_made_and_private(program: Program) -> None:
    done = program.spawn("init", "--no-passphrase").ok()
    admin = ProfileStore(program.config).get("admin")
    assert (admin.url, admin.organization, admin.role) == ("http://127.0.0.1:8000", "operator", "admin")
    assert admin.passphrase_file is None
    assert tree(program.home) == ["secure-api.db", "server-key.pem", "storage.key"]
    for path in [program.home, program.config, *program.home.iterdir(), *program.config.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in (program.home / "server-key.pem", *admin.keys):
        assert read_private_key(path, None).algorithm is SignatureAlgorithm.ML_DSA_65
    assert done.out == ""
    assert f"next: secure-api serve --home {program.home}" in done.lines
    program("ledger", "verify").ok()


def test_passphrases_are_made_up_without_a_terminal(program: Program) -> None:
    done = program.spawn("init").ok()
    admin = ProfileStore(program.config).get("admin")
    files = (program.home / "server.passphrase", admin.passphrase_file)
    assert len([line for line in done.lines if "made up passphrases" in line]) == 1
    secrets = set()
    for file, key in zip(files, (program.home / "server-key.pem", admin.keys[0]), strict=True):
        assert file is not None
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert str(file) in done.said
        secret = file.read_bytes().strip()
        assert secret.decode() not in done.said
        secrets.add(read_private_key(key, secret).keyid + secret.decode())
    assert len(secrets) == 2
    program("ledger", "verify").ok()


def test_a_passphrase_of_the_environment(program: Program) -> None:
    program("init", env={"SECURE_API_PASSPHRASE": "short"}).failed(1, "12 characters")
    assert not program.home.exists()
    program("init", env={"SECURE_API_PASSPHRASE": PASSPHRASE}).ok()
    admin = ProfileStore(program.config).get("admin")
    for key in (program.home / "server-key.pem", admin.keys[0]):
        read_private_key(key, PASSPHRASE.encode())
        with pytest.raises(PassphraseError):
            read_private_key(key, None)
    program("ledger", "verify").failed(7, "passphrase")
    program("ledger", "verify", env={"SECURE_API_PASSPHRASE": PASSPHRASE}).ok()


def test_a_passphrase_from_a_terminal(program: Program) -> None:
    status, screen = program.on_terminal("init", typed=[PASSPHRASE, PASSPHRASE])
    assert status == 0, screen
    assert PASSPHRASE not in screen
    read_private_key(program.home / "server-key.pem", PASSPHRASE.encode())


def test_an_admin_profile_is_not_replaced_unasked(installed: Program, tmp_path: Path) -> None:
    other = Program(tmp_path / "other", installed.config)
    before = tree(installed.config)
    other("init", "--no-passphrase").failed(7, "there is a profile admin", "--force", "--config")
    assert not other.home.exists()
    assert tree(installed.config) == before
    other("init", "--no-passphrase", "--force", "--url", "https://other.example").ok()
    assert ProfileStore(installed.config).get("admin").url == "https://other.example"


def test_other_profiles_are_kept_also_by_a_failure(program: Program) -> None:
    program.config.mkdir()
    text = '# mine\n[lab]\nurl = "https://lab.example"  # far away\nkeys = ["/k"]\n'
    (program.config / "profiles.toml").write_text(text)
    program("init", "--no-passphrase", env={"SECURE_API_DATABASE_URL": "sqlite+aiosqlite:////proc/none.db"}).failed(1)
    assert (program.config / "profiles.toml").read_text() == text
    program("init", "--no-passphrase").ok()
    assert (program.config / "profiles.toml").read_text().startswith(text)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite+aiosqlite:////proc/none/x.db", "unable to open database file"),
        ("postgresql+asyncpg://u:pw-7@127.0.0.1:1/x", "onnect call failed"),
    ],
)
def test_a_database_that_cannot_be_reached_leaves_nothing(program: Program, url: str, reason: str) -> None:
    said = program("init", env={"SECURE_API_DATABASE_URL": url}).failed(1, reason, "SECURE_API_DATABASE_URL").said
    assert "pw-7" not in said
    assert not program.home.exists()
    assert [name for name in tree(program.config) if not name.endswith(".lock")] == [] or not program.config.exists()
    program("init", "--no-passphrase").ok()


def test_a_home_that_is_there_keeps_what_it_has(program: Program) -> None:
    program.home.mkdir(mode=0o700)
    (program.home / "notes").write_text("mine")
    program("init", "--no-passphrase", env={"SECURE_API_DATABASE_URL": "sqlite+aiosqlite:////proc/x.db"}).failed(1)
    assert tree(program.home) == ["notes"]


def test_a_home_that_others_may_enter_is_closed_or_warned_of(program: Program, tmp_path: Path) -> None:
    program.home.mkdir(mode=0o755)
    assert "warning" not in program("init", "--no-passphrase").ok().said
    assert stat.S_IMODE(program.home.stat().st_mode) == 0o700
    used = Program(tmp_path / "used", tmp_path / "used-config")
    used.home.mkdir(mode=0o755)
    (used.home / "notes").write_text("for all")
    assert f"warning: {used.home} is open to other users (mode 0755)" in used("init", "--no-passphrase").ok().said
    assert stat.S_IMODE(used.home.stat().st_mode) == 0o755
    assert used("doctor").status == 1


@pytest.mark.parametrize("folder", ["home", "config"])
def test_a_folder_that_cannot_be_made_leaves_nothing(program: Program, folder: str) -> None:
    blocked = {"home": program.home, "config": program.config}[folder]
    free = {"home": program.config, "config": program.home}[folder]
    blocked.write_text("a file is in the way")
    program("init", "--no-passphrase").failed(2)
    home, config = (path / "deep" if path == blocked else path for path in (program.home, program.config))
    below = Program(home, config)
    assert below("init", "--no-passphrase").status in {1, 7}
    assert blocked.read_text() == "a file is in the way"
    assert not free.exists()


def test_a_profile_file_that_cannot_be_written_leaves_nothing(program: Program) -> None:
    (program.config / ".profiles.toml.lock").mkdir(parents=True)
    program("init", "--no-passphrase").failed(7, "cannot write")
    assert not program.home.exists()
    assert tree(program.config) == [".profiles.toml.lock"]


def test_ctrl_c_at_the_question_leaves_nothing(program: Program) -> None:
    status, screen = program.on_terminal("init", typed=["\x03"])
    assert status == 130, screen
    assert "Traceback" not in screen
    assert not program.home.exists()


def test_postgresql(program: Program, postgresql_database: str) -> None:
    env = {"SECURE_API_DATABASE_URL": postgresql_database}
    report = program("init", "--no-passphrase", "--json", env=env).ok().json()
    assert (report["home"], report["admin"]["profile"]) == (str(program.home), "admin")
    assert tree(program.home) == ["server-key.pem", "storage.key"]
    assert program("ledger", "verify", "--json", env=env).ok().json()["entries"] == 1
    findings = program("doctor", "--json", env=env).ok().json()
    assert [item["detail"] for item in findings if item["what"] == "database"] == ["postgresql"]
    second = Program(program.home.with_name("second"), program.config.with_name("second-config"))
    second("init", "--no-passphrase", env=env).failed(1, "initialized already")
    assert not second.home.exists()
    assert not (second.config / "profiles.toml").exists()


def test_a_database_that_somebody_else_filled(program: Program) -> None:
    program.home.mkdir(mode=0o700)
    with closing(sqlite3.connect(program.home / "secure-api.db")) as database:
        database.execute("CREATE TABLE organizations (id TEXT)")
    program("init", "--no-passphrase").failed(1, "cannot be migrated")
    assert tree(program.home) == ["secure-api.db"]
    (program.home / "secure-api.db").write_bytes(b"this is not a database" * 100)
    program("init", "--no-passphrase").failed(1, "database")
    assert tree(program.home) == ["secure-api.db"]
