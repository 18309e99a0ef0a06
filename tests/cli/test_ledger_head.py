"""Signed heads that are kept elsewhere: a ledger that was cut off, put back or exchanged is found by them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crypto import PrivateKey, SignatureAlgorithm, read_private_key
from secure_api.domain.instant import parse_instant
from secure_api.domain.ledger import LedgerHead, head_statement
from tests.cli.conftest import Consortium
from tests.cli.program import Program
from tests.cli.serving import serving


@pytest.fixture(scope="module")
def lived(template: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A server that was backed up (`backup.db`), then made three entries, signed its head and was stopped."""
    folder = tmp_path_factory.mktemp("lived")
    program = Program(folder / "home", folder / "config")
    shutil.copytree(template.home, program.home)
    shutil.copytree(template.config, program.config)
    shutil.copy(program.home / "secure-api.db", folder / "backup.db")
    with serving(program) as server:
        for name in ("clinic", "lab", "school"):
            program("organizations", "create", name).ok()
        assert server.end() == 0
    return program


@pytest.fixture
def program(lived: Program, tmp_path: Path) -> Program:
    """The program on a copy of its home."""
    shutil.copytree(lived.home, tmp_path / "home")
    return Program(tmp_path / "home", lived.config)


@pytest.fixture
def kept(program: Program, tmp_path: Path) -> Path:
    """The newest head, in a file."""
    path = tmp_path / "kept.json"
    path.write_bytes(program("ledger", "head").ok().stdout)
    return path


def put_back(program: Program, backup: Path) -> None:
    """Exchange the database for an older copy of it."""
    for file in program.home.glob("secure-api.db*"):
        file.unlink()
    shutil.copy(backup, program.home / "secure-api.db")


def test_a_ledger_that_contains_the_head(program: Program, kept: Path) -> None:
    assert list(json.loads(kept.read_text())) == ["sequence", "hash", "time", "keyid", "signature"]
    done = program("ledger", "verify", "--head", kept).ok()
    assert done.out.endswith("; it contains the head of entry 4\n")
    piped = program("ledger", "verify", "--head", "-", "--json", stdin=kept.read_bytes()).ok()
    assert (piped.json()["kept_head"], piped.json()["entries"]) == (4, 4)
    assert program("ledger", "verify", "--json").ok().json()["kept_head"] is None


def test_a_ledger_that_was_put_back_is_found(program: Program, lived: Program, kept: Path) -> None:
    put_back(program, lived.home.parent / "backup.db")
    program("ledger", "verify").ok()
    verdict = program("ledger", "verify", "--head", kept)
    assert verdict.status == 1
    assert verdict.out == "TAMPERED: Ledger entry 2 was removed from the end: a signed head covers 4 entries.\n"
    report = program("ledger", "verify", "--head", kept, "--json")
    assert (report.status, report.json()["what"], report.json()["sequence"]) == (1, "removed", 2)


def test_a_ledger_that_was_cut_off_is_found(program: Program, kept: Path) -> None:
    with closing(sqlite3.connect(program.home / "secure-api.db")) as database, database:
        for table in ("ledger_entries", "ledger_heads"):
            database.execute(f"DELETE FROM {table} WHERE sequence = 4")
        database.execute("DELETE FROM organizations WHERE name = 'school'")
    program("ledger", "verify").ok()
    verdict = program("ledger", "verify", "--head", kept)
    assert (verdict.status, "entry 4 was removed" in verdict.out) == (1, True)


@pytest.mark.parametrize(("sequence", "words"), [(4, "two signed heads"), (3, "hashed anew: a signed head knows")])
def test_another_history_that_the_server_signed(program: Program, kept: Path, sequence: int, words: str) -> None:
    """Whoever has the server's key too can rewrite the chain, but not the head that somebody holds."""
    key = read_private_key(program.home / "server-key.pem", None)
    kept.write_text(json.dumps(signed_head(key, sequence=sequence, hash="0" * 64)))
    program("ledger", "verify").ok()
    verdict = program("ledger", "verify", "--head", kept)
    assert (verdict.status, f"entry {sequence} was changed" in verdict.out, words in verdict.out) == (1, True, True)


def signed_head(key: PrivateKey, *, sequence: int, hash: str, time: str = "2026-11-22T09:30:00Z") -> dict[str, Any]:
    """A head of our making."""
    moment = parse_instant(time)
    signature = key.sign(head_statement(sequence, hash, moment))
    head = LedgerHead(sequence=sequence, hash=hash, time=moment, keyid=key.keyid, signature=signature)
    return head.document()


def test_a_head_that_this_server_did_not_sign_checks_nothing(program: Program, kept: Path) -> None:
    head = json.loads(kept.read_text())
    forger = PrivateKey.generate(SignatureAlgorithm.ED25519)
    foreign = signed_head(forger, sequence=4, hash=head["hash"])
    for forged, words in (
        (foreign, f"is signed by the key {forger.keyid}, not by {head['keyid']}"),
        ({**foreign, "keyid": head["keyid"]}, "is not the server's"),
        ({**head, "hash": "0" * 64}, "is not the server's"),
        ({**head, "sequence": 3}, "is not the server's"),
    ):
        kept.write_text(json.dumps(forged))
        failed = program("ledger", "verify", "--head", kept).failed(7, words)
        assert failed.out == ""


def test_what_is_no_head_is_refused(program: Program, kept: Path, tmp_path: Path) -> None:
    head = json.loads(kept.read_text())
    for document, words in (
        (b"", "There is no JSON value"),
        (b"[]", "no signed head"),
        (b"{}", "no signed head"),
        (json.dumps({"entries": [], "next": None, "head": head}).encode(), "no signed head"),
        (json.dumps({**head, "hash": "zz"}).encode(), "look at hash"),
        (json.dumps({**head, "more": 1}).encode(), "look at more"),
        (json.dumps({**head, "signature": "*"}).encode(), "base64"),
        (json.dumps({**head, "time": "yesterday"}).encode(), "RFC 3339"),
        (b" " * 70_000, "65536 bytes"),
    ):
        kept.write_bytes(document)
        program("ledger", "verify", "--head", kept).failed(2, words, "secure-api ledger head prints one")
    program("ledger", "verify", "--head", tmp_path / "none").failed(2, "cannot read", "No such file")


def test_a_stored_head_that_was_touched_is_not_printed(program: Program) -> None:
    with closing(sqlite3.connect(program.home / "secure-api.db")) as database, database:
        database.execute(f"UPDATE ledger_heads SET hash = '{'0' * 64}'")
    failed = program("ledger", "head").failed(1, "The signed head of ledger entry 4 was changed")
    assert failed.out == ""
    with closing(sqlite3.connect(program.home / "secure-api.db")) as database, database:
        database.execute("DELETE FROM ledger_heads")
    program("ledger", "head").failed(1, "no signed head")


def test_a_head_over_the_api(consortium: Consortium, tmp_path: Path) -> None:
    program = consortium.program
    key = tmp_path / "server.pem"
    key.write_bytes(program("keys", "show", program.home / "server-key.pem", "--public-pem").ok().stdout)
    document = program("ledger", "head", "--profile", "auditor", "--key", key).ok().json()
    assert program("ledger", "head", "-p", "auditor").ok().json() == document
    assert document == program("ledger", "show", "--json").ok().json()["head"]
    done = program("ledger", "verify", "--head", "-", stdin=json.dumps(document).encode()).ok()
    assert f"it contains the head of entry {document['sequence']}" in done.out
    other = tmp_path / "other.pem"
    program("keys", "generate", "--out", other, "--no-passphrase").ok()
    program("ledger", "head", "-p", "auditor", "--key", other).failed(7, "is signed by the key")
    program("ledger", "head", "-p", "clinic").failed(4, "403")
    program("ledger", "head", "--key", key).failed(2, "--profile")
