"""`secure-api ledger` and `migrate` on the server's machine: what was touched is named, whatever it was."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Consortium
from tests.cli.program import Program
from tests.cli.serving import serving

RECORD = json.dumps({"time": "2026-11-22T09:30:00Z", "attributes": {"pulse": 61}})


@pytest.fixture(scope="module")
def written(template: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose server was used and stopped: six entries, two records, every entry under a signed head."""
    folder = tmp_path_factory.mktemp("written")
    program = Program(folder / "home", folder / "config")
    shutil.copytree(template.home, program.home)
    shutil.copytree(template.config, program.config)
    with serving(program) as server:
        for name in ("clinic", "lab"):
            program("organizations", "create", name).ok()
        program("request", "POST", "/v1/datasets", "-p", "admin", "--json", '{"name": "vitals"}').ok()
        for _ in range(2):
            program("request", "POST", "/v1/datasets/vitals/records", "-p", "admin", "--json", RECORD).ok()
        assert server.end() == 0
    return folder / "home"


@pytest.fixture
def home(written: Path, program: Program) -> Path:
    """A copy of it, to be tampered with."""
    shutil.copytree(written, program.home)
    return program.home


def tamper(home: Path, *statements: str) -> None:
    """Change the database behind the server's back."""
    with closing(sqlite3.connect(home / "secure-api.db")) as database, database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0, statement


def test_an_intact_ledger(program: Program, home: Path) -> None:
    report = program("ledger", "verify", "--json").ok().json()
    assert (report["valid"], report["entries"], report["records"], report["unsigned"]) == (True, 6, 2, 0)
    assert report["heads"] >= 2
    done = program.spawn("ledger", "verify", "--home", home, env={"SECURE_API_HOME": None}).ok()
    assert done.out.startswith("ledger intact: 6 entries, ")
    assert done.said == ""
    status, screen = program.on_terminal("ledger", "verify")
    assert (status, "ledger intact" in screen) == (0, True), screen


@pytest.mark.parametrize(
    ("statements", "sequence", "what"),
    [
        (["UPDATE ledger_entries SET actor = 'mallory' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET payload = '{}' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET payload = 'not json' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET payload = x'ff00' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET kind = '' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET time = 'yesterday' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET time = 7 WHERE sequence = 6"], 6, "changed"),
        (["UPDATE ledger_entries SET hash = '00' WHERE sequence = 3"], 3, "changed"),
        (["UPDATE ledger_entries SET sequence = 99 WHERE sequence = 6"], 6, "reordered"),
        (["DELETE FROM ledger_entries WHERE sequence = 4"], 4, "removed"),
        (["DELETE FROM ledger_entries WHERE sequence = 6"], 6, "removed"),
        (["DELETE FROM ledger_entries WHERE sequence = 1"], 1, "removed"),
        (
            [
                "UPDATE ledger_entries SET sequence = -1 WHERE sequence = 2",
                "UPDATE ledger_entries SET sequence = 2 WHERE sequence = 3",
                "UPDATE ledger_entries SET sequence = 3 WHERE sequence = -1",
            ],
            3,
            "reordered",
        ),
    ],
)
def test_what_was_done_to_an_entry_is_named(
    program: Program, home: Path, statements: list[str], sequence: int, what: str
) -> None:
    tamper(home, *statements)
    verdict = program("ledger", "verify", "--json")
    assert verdict.status == 1
    assert (verdict.json()["valid"], verdict.json()["sequence"], verdict.json()["what"]) == (False, sequence, what)
    plain = program("ledger", "verify")
    assert plain.status == 1
    assert plain.out.startswith("TAMPERED: ")
    assert str(sequence) in plain.out


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET attributes = '{\"pulse\":16}' WHERE rowid = (SELECT min(rowid) FROM records)",
        "UPDATE records SET attributes = 'broken' WHERE rowid = (SELECT min(rowid) FROM records)",
        "UPDATE records SET time = 'yesterday' WHERE rowid = (SELECT max(rowid) FROM records)",
        "DELETE FROM records WHERE rowid = (SELECT max(rowid) FROM records)",
    ],
)
def test_what_was_done_to_a_record_is_named(program: Program, home: Path, statement: str) -> None:
    tamper(home, statement)
    verdict = program("ledger", "verify", "--json")
    assert (verdict.status, verdict.json()["valid"]) == (1, False)
    assert " signed heads, records not checked; 0 entries" in program("ledger", "verify", "--no-records").ok().out
    assert program("ledger", "verify", "--no-records", "--json").ok().json()["records"] is None


def test_what_was_done_to_a_row_is_named(program: Program, home: Path) -> None:
    tamper(
        home,
        "UPDATE clients SET role = 'auditor'",
        "INSERT INTO organizations SELECT 'mallory', 'evil', 1, created FROM organizations WHERE operator",
    )
    verdict = program("ledger", "verify")
    assert (verdict.status, verdict.said) == (1, "")
    first, second = verdict.out.splitlines()
    assert first == "TAMPERED: Organization mallory is in the database, and no ledger entry made it."
    assert second.startswith("TAMPERED: Client ")
    assert second.endswith(" has role auditor; ledger entry 1 says admin.")
    report = program("ledger", "verify", "--json")
    assert (report.status, report.json()["valid"], report.json()["what"]) == (1, False, "contradicted")
    found = [(item["table"], item["sequence"]) for item in report.json()["discrepancies"]]
    assert found == [("organizations", None), ("clients", 1)]


@pytest.mark.parametrize("column", ["signature", "hash", "keyid", "time"])
def test_what_was_done_to_a_head_is_named(program: Program, home: Path, column: str) -> None:
    tamper(home, f"UPDATE ledger_heads SET {column} = 'AAAA' WHERE sequence = 1")
    verdict = program("ledger", "verify", "--json")
    assert (verdict.status, verdict.json()["valid"]) == (1, False)


def test_a_ledger_that_is_not_there(program: Program, home: Path) -> None:
    tamper(home, "UPDATE alembic_version SET version_num = '9999'")
    program("ledger", "verify").failed(7, "revision 9999")
    program("migrate").failed(1, "revision 9999")
    (home / "secure-api.db").write_bytes(b"no database " * 1000)
    for status, words in ((7, ("ledger", "verify")), (1, ("migrate",))):
        program(*words).failed(status, "atabase")
    (home / "secure-api.db").unlink()
    program("ledger", "verify").failed(7, "There is no database")
    assert not (home / "secure-api.db").exists()
    (home / "server-key.pem").write_bytes(b"")
    program("ledger", "verify").failed(7, "server's key")
    (home / "server-key.pem").unlink()
    program("ledger", "verify").failed(7, "is not initialized")


def test_a_question_for_the_passphrase_on_a_terminal(program: Program) -> None:
    program("init", env={"SECURE_API_PASSPHRASE": "correct horse battery"}).ok()
    status, screen = program.on_terminal("ledger", "verify", typed=["correct horse battery"])
    assert (status, "ledger intact" in screen) == (0, True), screen
    status, screen = program.on_terminal("ledger", "verify", typed=["wrong horse battery"])
    assert (status, "passphrase is wrong" in screen) == (7, True), screen
    assert "(the passphrase was entered here)" in screen


def test_migrate(program: Program, home: Path) -> None:
    done = program("migrate").ok()
    assert "already" in done.said
    (home / "secure-api.db").unlink()
    report = program("migrate", "--json").ok().json()
    assert (report["before"], program("migrate", "--json").ok().json()["before"]) == (None, report["after"])
    assert "revision" in program.spawn("migrate").ok().said


def test_migrate_wants_an_initialized_home(program: Program) -> None:
    program("migrate").failed(1, "is not initialized", "secure-api init")
    assert not program.home.exists()


def test_show(consortium: Consortium) -> None:
    program = consortium.program
    rows = [line.split("\t") for line in program("ledger", "show").ok().out.splitlines()]
    assert [rows[0][0], rows[0][2]] == ["1", "server.initialized"]
    assert [int(row[0]) for row in rows] == sorted({int(row[0]) for row in rows})
    done = program("ledger", "show", "--limit", "2").ok()
    assert (len(done.out.splitlines()), done.said) == (2, "there are more: --after 2\n")
    page = program("ledger", "show", "--after", "2", "--limit", "1", "--json").ok().json()
    assert [entry["sequence"] for entry in page["entries"]] == [3]
    program("ledger", "show", "--profile", "auditor").ok()
    program("ledger", "show", "--profile", "clinic").failed(4, "403")
    program("ledger", "show", "--limit", "0").failed(2, "--limit")
