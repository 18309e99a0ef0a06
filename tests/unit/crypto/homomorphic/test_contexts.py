"""Contexts from strangers, and keys on disk."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pytest

from crypto import (
    CiphertextRefused,
    ContextRefused,
    DecryptionsExhausted,
    InspectionFailed,
    KeyFileError,
    LibraryMissing,
    PassphraseError,
)
from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey, ContextFacts, inspect_context, inspector
from crypto.homomorphic.analyst_key import is_encrypted
from crypto.homomorphic.frames import join_vector, split_vector
from tests.unit.crypto.homomorphic.test_statistics import SCHEMES, key

MOST = 2 << 20


def inspected(content: bytes, *, max_bytes: int = MOST, deadline: float = 60.0) -> ContextFacts:
    return asyncio.run(inspect_context(content, max_bytes=max_bytes, deadline=deadline))


@pytest.mark.parametrize("name", SCHEMES)
def test_a_process_of_its_own_tells_what_a_context_is(name: str) -> None:
    made, encryptor = key(name)
    facts = inspected(made.public_context)
    assert facts == encryptor.facts == made.facts()
    assert (facts.fingerprint, facts.parameters.name) == (made.fingerprint, name)
    assert facts.modulus.bit_length() == 60
    assert ContextFacts.from_json(facts.to_json()) == facts


def test_what_is_no_context_is_refused() -> None:
    made, _ = key("bfv-8192")
    for content in (b"", b"\0", made.public_context[:-1], made.public_context[:100], bytes(1_000)):
        with pytest.raises(ContextRefused):
            inspected(content)
    with pytest.raises(ContextRefused, match="more than 10 bytes"):
        inspected(made.public_context, max_bytes=10)


def test_a_process_that_does_not_answer_is_ended() -> None:
    made, _ = key("bfv-8192")
    with pytest.raises(InspectionFailed, match="in time"):
        inspected(made.public_context, deadline=0.0)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"fingerprint": 1}', '{"fingerprint": "0", "parameters": "x"}', "[" * 10_000]
)
def test_facts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ContextRefused):
        ContextFacts.from_json(text)


def test_facts_with_a_modulus_that_is_none_are_refused() -> None:
    _, encryptor = key("bfv-8192")
    for changed in (replace(encryptor.facts, modulus=1), replace(encryptor.facts, fingerprint="x" * 64)):
        with pytest.raises(ContextRefused):
            ContextFacts.from_json(changed.to_json())


def test_a_vector_of_another_form_is_told() -> None:
    parameters = HOMOMORPHIC_PARAMETERS["ckks-8192"]
    _, encryptor = key("ckks-8192")
    residues = bytes(8 * parameters.residues)
    genuine = join_vector(parameters, encryptor.facts.prefix, residues)
    assert split_vector(parameters, genuine) == (encryptor.facts.prefix, residues)
    for vector in (b"", b"\x12", genuine[1:], genuine[:3], genuine[:200], genuine.replace(b"\x5e\xa1", b"\0\0", 1)):
        with pytest.raises(CiphertextRefused, match="form that is not known"):
            split_vector(parameters, vector)


def test_a_key_on_disk_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    made, _ = key("bfv-8192")
    path = tmp_path / "key"
    made.save(path, b"correct horse battery")
    assert path.stat().st_mode & 0o777 == 0o600
    assert is_encrypted(path)
    assert AnalystKey.load(path, b"correct horse battery").fingerprint == made.fingerprint
    with pytest.raises(PassphraseError, match="does not open"):
        AnalystKey.load(path, b"wrong")
    with pytest.raises(PassphraseError, match="needs a passphrase"):
        AnalystKey.load(path, None)
    with pytest.raises(KeyFileError, match="there already"):
        made.save(path, None)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(PassphraseError):
        AnalystKey.load(path, b"correct horse battery")
    for other in (
        b"",
        b"secure-api analyst key 1\n",
        b"secure-api analyst key 1\n0",
        b"secure-api analyst key 1\n2" + content,
    ):
        path.write_bytes(other)
        with pytest.raises(KeyFileError, match="no analyst's key"):
            AnalystKey.load(path, b"correct horse battery")
    path.write_bytes(b"secure-api analyst key 2\n")
    with pytest.raises(KeyFileError, match="no analyst's key"):
        is_encrypted(path)


def test_a_key_is_made_for_some_decryptions() -> None:
    for decryptions in (0, 1_025):
        with pytest.raises(DecryptionsExhausted):
            AnalystKey.create(HOMOMORPHIC_PARAMETERS["bfv-8192"], decryptions=decryptions)


def test_a_library_that_is_missing_there_is_no_fault_of_the_context(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    def missing(_content: bytes) -> str:
        raise LibraryMissing("encrypted sums need tenseal")

    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    monkeypatch.setattr(inspector, "inspect", missing)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"context")))
    inspector.main()
    answer = tmp_path / "answer"
    answer.write_bytes(capsysbinary.readouterr().out)
    answering = tmp_path / "python"
    answering.write_text(f"#!/bin/sh\ncat >/dev/null; cat {answer}\n")
    answering.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(answering))
    with pytest.raises(InspectionFailed, match="encrypted sums need tenseal"):
        inspected(b"context")
