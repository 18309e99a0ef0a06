"""`doctor`: it looks at everything, changes nothing, and imports nothing that would."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ClientProfile, ProfileStore
from tests.cli.program import Outcome, Program


def findings(outcome: Outcome, area: str) -> dict[str, tuple[str, str]]:
    """What was found in an area: state and detail, by what was looked at."""
    return {item["what"]: (item["state"], item["detail"]) for item in outcome.json() if item["area"] == area}


@pytest.fixture
def home(program: Program, tmp_path: Path) -> Path:
    """An initialized home."""
    program("init", "--home", tmp_path / "home", "--no-passphrase").ok()
    return tmp_path / "home"


def test_a_sound_home(program: Program, home: Path) -> None:
    outcome = program("doctor", "--home", home, "--json").ok()
    assert outcome.said == ""
    assert {item["area"] for item in outcome.json()} == {"runtime", "provider", "extra", "server", "home", "profiles"}
    assert {item["state"] for item in outcome.json()} <= {"ok", "missing"}
    assert findings(outcome, "home")[str(home)] == ("ok", "mode 0700")
    assert findings(outcome, "home")["database"][0] == "ok"
    assert findings(outcome, "home")["server key"][1].startswith("ml-dsa-65 ")
    assert findings(outcome, "profiles")[str(ProfileStore(program.config).file)] == ("ok", "admin")
    assert findings(outcome, "runtime")["python"][1] == sys.version.split()[0]
    assert findings(outcome, "runtime")["clock"][0] in {"ok", "missing"}
    plain = program("doctor", "--home", home).ok().out
    assert [line.split("\t")[:2] for line in plain.splitlines()] == [[i["area"], i["what"]] for i in outcome.json()]


def test_what_is_merely_missing_is_no_problem(program: Program, tmp_path: Path) -> None:
    outcome = program("doctor", "--home", tmp_path / "home", "--json").ok()
    assert findings(outcome, "home") == {str(tmp_path / "home"): ("missing", f"secure-api init --home {tmp_path}/home")}
    assert not (tmp_path / "home").exists()
    (tmp_path / "file").write_text("")
    program("doctor", "--home", tmp_path / "file" / "home").ok()


def test_every_problem_is_found(program: Program, home: Path) -> None:
    ProfileStore(program.config).put(ClientProfile("lost", "https://api.example", (Path("/absent.pem"),)))
    home.chmod(0o755)
    outcome = program("doctor", "--home", home, "--json")
    assert outcome.status == ExitCode.FAILURE
    assert findings(outcome, "home")[str(home)] == ("problem", "mode 0755; run chmod 700 on it")
    assert findings(outcome, "profiles")["lost"] == ("problem", "cannot read /absent.pem: No such file or directory")
    assert "PROBLEM" in program("doctor", "--home", home).out


def problems(outcome: Outcome) -> dict[str, str]:
    """What is wrong, by what was looked at."""
    assert outcome.status == ExitCode.FAILURE
    return {item["what"]: item["detail"] for item in outcome.json() if item["state"] == "problem"}


def test_a_key_and_a_database_that_do_not_fit(program: Program, home: Path) -> None:
    (home / "server-key.pem").chmod(0o644)
    (home / "secure-api.db").unlink()
    found = problems(program("doctor", "--home", home, "--json"))
    assert set(found) == {"server key", "database"}
    assert "open to other users" in found["server key"]
    assert found["database"] == f"There is no database {home}/secure-api.db."
    assert not (home / "secure-api.db").exists()


def test_a_profiles_key_and_passphrase_that_others_can_read(program: Program) -> None:
    program.spawn("init").ok()
    admin = ProfileStore(program.config).get("admin")
    assert admin.passphrase_file is not None
    program("doctor").ok()
    for path in (admin.keys[0], admin.passphrase_file):
        path.chmod(0o644)
        assert problems(program("doctor", "--json"))["admin"].startswith(f"{path} is open to other users")
        path.chmod(0o600)


def test_settings_and_profiles_that_make_no_sense(
    program: Program, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program.config / "profiles.toml").write_text("[broken")
    monkeypatch.setenv("SECURE_API_DATABASE_POOL", "none")
    outcome = program("doctor", "--home", home, "--json")
    assert outcome.status == ExitCode.FAILURE
    assert findings(outcome, "home")["settings"][1].startswith("SECURE_API_DATABASE_POOL: ")
    (profiles,) = findings(outcome, "profiles").values()
    assert profiles[0] == "problem"


def test_optional_packages_are_looked_for_and_never_imported(
    program: Program, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("oqs", "asyncpg", "uvloop"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("OQS_INSTALL_PATH", str(tmp_path / "nothing"))
    outcome = program("doctor", "--home", home, "--json").ok()
    assert {state for state, _ in findings(outcome, "extra").values()} == {"ok"}
    assert findings(outcome, "provider")["oqs"][0] == "missing"


def test_a_liboqs_that_cannot_be_loaded_is_a_problem(
    program: Program, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib" / "liboqs.so"
    library.parent.mkdir()
    library.write_text("garbage\n")
    monkeypatch.setenv("OQS_INSTALL_PATH", str(tmp_path))
    found = problems(program("doctor", "--home", home, "--json"))
    assert found == {"oqs": f"{library} cannot be loaded: file too short"}


def test_servers_are_found_on_the_path(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valkey = tmp_path / "valkey-server"
    valkey.write_text("#!/bin/sh\nexit 1\n")
    valkey.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = program("doctor", "--home", tmp_path / "home", "--json").ok()
    assert findings(outcome, "server")["Redis"] == ("ok", str(valkey))
