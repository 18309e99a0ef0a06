"""The storage key: what doctor says of it and of what it encrypts, and its replacement."""

from __future__ import annotations

import stat

import httpx
import pytest

from crypto import StorageKey
from secure_api.client import Session, SignatureAuth
from tests.cli.program import Program
from tests.cli.serving import Serving, serving


def findings(program: Program, **env: str) -> dict[str, tuple[str, str]]:
    """What doctor says of the home: state and detail, by what was looked at."""
    listed = program("doctor", "--json", env=env).json()
    return {item["what"]: (item["state"], item["detail"]) for item in listed if item["area"] == "home"}


def ask(program: Program, server: Serving, session: Session) -> int:
    """Ask within a session who one is; gives the status."""
    with httpx.Client(base_url=server.url, auth=session, trust_env=False) as client:
        return client.get("/v1/clients/me").status_code


def new_session(program: Program) -> Session:
    """A session of the admin's, not opened yet."""
    return Session(SignatureAuth.from_profile("admin", program.config))


@pytest.fixture
def lived(installed: Program) -> tuple[Program, Session]:
    """A home whose server was stopped with one session open, and that session."""
    session = new_session(installed)
    with serving(installed) as server:
        assert ask(installed, server, session) == 200
        assert server.end() == 0
    return installed, session


def test_a_home_that_never_served(installed: Program) -> None:
    found = findings(installed)
    assert found["storage key"] == ("ok", str(installed.home / "storage.key"))
    assert found["sealing key"] == ("ok", "none yet: serve makes one")
    assert found["sessions"] == ("ok", "0 active")


def test_what_is_encrypted_is_found_sound(lived: tuple[Program, Session]) -> None:
    found = findings(lived[0])
    assert found["sessions"] == ("ok", "1 active")
    assert found["sealing key"][0] == "ok"
    assert "old, published for another" in found["sealing key"][1]
    by_variable = findings(lived[0], SECURE_API_STORAGE_KEY=(lived[0].home / "storage.key").read_text().strip())
    assert by_variable["storage key"] == ("ok", "in SECURE_API_STORAGE_KEY")


def test_a_storage_key_that_is_none_is_a_problem(lived: tuple[Program, Session]) -> None:
    program, path = lived[0], lived[0].home / "storage.key"
    path.chmod(0o644)
    assert findings(program)["storage key"][0] == "problem"
    assert "open to other users" in findings(program)["storage key"][1]
    path.chmod(0o600)
    path.write_text("nonsense")
    assert findings(program)["storage key"][0] == "problem"
    path.unlink()
    found = findings(program)
    assert found["storage key"] == (
        "problem",
        f"There is no storage key {path}; run: secure-api migrate --home {program.home}",
    )
    assert "sessions" not in found


def test_another_storage_key_is_found_and_replaced(lived: tuple[Program, Session]) -> None:
    program, session = lived
    path = program.home / "storage.key"
    path.write_text(StorageKey.generate().text)
    found = findings(program)
    for what in ("sealing key", "sessions"):
        assert found[what][0] == "problem"
        assert "secure-api migrate --new-storage-key" in found[what][1]
    program.spawn("serve", "--port", "0").failed(1, "storage key")
    other = path.read_text()
    done = program("migrate", "--new-storage-key").ok()
    assert "1 sessions ended" in done.said
    assert f"made the storage key {path}" in done.said
    assert path.read_text() != other
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with serving(program) as server:
        assert ask(program, server, session) == 200, "the client opens a new session by itself"
    assert findings(program)["sessions"] == ("ok", "1 active")
    program("ledger", "verify").ok()


def test_a_storage_key_of_the_environment_is_changed_there(lived: tuple[Program, Session]) -> None:
    program, _ = lived
    (program.home / "storage.key").unlink()
    env = {"SECURE_API_STORAGE_KEY": StorageKey.generate().text}
    assert program("migrate", "--new-storage-key", "--json", env=env).ok().json()["sessions_ended"] == 1
    assert not (program.home / "storage.key").exists()
    with serving(program, env=env):
        assert findings(program, **env)["storage key"][0] == "ok"


def test_migrate_leaves_a_storage_key_alone(lived: tuple[Program, Session]) -> None:
    before = (lived[0].home / "storage.key").read_text()
    assert set(lived[0]("migrate", "--json").ok().json()) == {"before", "after"}
    assert (lived[0].home / "storage.key").read_text() == before
    assert findings(lived[0])["sessions"] == ("ok", "1 active")


def test_a_sealing_key_of_an_earlier_server_key(lived: tuple[Program, Session]) -> None:
    program, _ = lived
    program("keys", "generate", "--out", program.home / "server-key.pem", "--force", "--no-passphrase").ok()
    assert "vouched for by an earlier key" in findings(program)["sealing key"][1]


def test_a_profile_without_its_servers_key_is_named(installed: Program) -> None:
    profiles = installed.config / "profiles.toml"
    text = profiles.read_text()
    profiles.write_text("".join(line for line in text.splitlines(True) if not line.startswith("server_key")))
    listed = installed("doctor", "--json").json()
    assert ("admin", "missing", "no key of its server: secure-api keys pin --profile admin") in [
        (item["what"], item["state"], item["detail"]) for item in listed
    ]
    profiles.write_text(text.replace(".server-", ".lost-"))
    done = installed("doctor", "--json")
    assert (done.status, "cannot be read" in done.out) == (1, True)
