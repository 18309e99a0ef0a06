"""`ledger verify` and `migrate` on the server's machine."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ClientProfile, ProfileStore
from tests.cli.program import Program
from tests.unit.secure_api.cli.conftest import UNPINNED
from tests.unit.secure_api.cli.odd_server import OddServer


@pytest.fixture
def home(program: Program) -> Path:
    """An initialized home."""
    program("init", "--no-passphrase").ok()
    return program.home


def change(home: Path, statement: str) -> None:
    """Change the database behind the program's back."""
    with closing(sqlite3.connect(home / "secure-api.db")) as database, database:
        assert database.execute(statement).rowcount == 1


def test_an_intact_ledger(program: Program, home: Path) -> None:
    verdict = program("ledger", "verify").ok()
    assert (verdict.out.startswith("ledger intact: 1 entries, 1 signed heads"), verdict.said) == (True, "")
    unchecked = program("ledger", "verify", "--no-records").ok()
    assert unchecked.out.startswith("ledger intact: 1 entries, 1 signed heads, records not checked; ")
    report = program("ledger", "verify", "--home", home, "--json").ok().json()
    assert (report["valid"], report["entries"], report["heads"], report["unsigned"]) == (True, 1, 1, 0)
    assert re.fullmatch(r"[0-9a-f]{64}", report["hash"])


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE ledger_entries SET actor = 'mallory' WHERE sequence = 1", "changed"),
        ("DELETE FROM ledger_entries WHERE sequence = 1", "removed"),
        ("UPDATE ledger_entries SET sequence = 2 WHERE sequence = 1", "reordered"),
        ("UPDATE ledger_heads SET signature = x'00'", "changed"),
    ],
)
def test_a_touched_ledger_is_named(program: Program, home: Path, statement: str, what: str) -> None:
    change(home, statement)
    verdict = program("ledger", "verify")
    assert (verdict.status, verdict.said) == (ExitCode.FAILURE, "")
    assert re.match(r"TAMPERED: .*entry 1 was ", verdict.out)
    report = program("ledger", "verify", "--json", "--no-records")
    assert report.status == ExitCode.FAILURE
    assert {**report.json(), "detail": ""} == {"valid": False, "sequence": 1, "what": what, "detail": ""}


def test_a_database_that_is_gone_or_of_another_version(program: Program, home: Path) -> None:
    change(home, "UPDATE alembic_version SET version_num = '9999'")
    assert "9999" in program("ledger", "verify").failed(ExitCode.KEY).error
    for command in (["ledger", "head"], ["migrate"], ["serve", "--port", "0"]):
        assert "9999" in program(*command).failed(ExitCode.FAILURE).error
    (home / "secure-api.db").unlink()
    assert "There is no database" in program("ledger", "verify").failed(ExitCode.KEY).error


def test_migrating_once_is_enough(program: Program, home: Path) -> None:
    assert program("migrate").ok().said.rstrip().endswith(" already")
    report = program("migrate", "--home", home, "--json").ok().json()
    assert report["before"] == report["after"] is not None
    (home / "secure-api.db").unlink()
    assert ", was at none" in program("migrate").ok().said


def test_a_page_of_the_ledger(program: Program, odd: OddServer, key_file: Path) -> None:
    ProfileStore(program.config).put(ClientProfile("p", odd.url, (key_file,)))
    entry = {"sequence": 8, "time": "T", "kind": "k", "hash": "0123456789abcdef0"}
    odd.body = json.dumps({"entries": [entry], "next": 8, "head": None}).encode()
    page = program("ledger", "show", "-p", "p", "--after", "7", "--limit", "1").ok()
    assert (page.out, page.said) == ("8\tT\tk\t0123456789abcdef\n", UNPINNED + "there are more: --after 8\n")
    assert program("ledger", "show", "-p", "p", "--json").ok().json()["next"] == 8
    assert [path for _, path, *_ in odd.received] == ["/v1/ledger?after=7&limit=1", "/v1/ledger?after=0&limit=100"]
