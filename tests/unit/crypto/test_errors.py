from __future__ import annotations

import ast
import inspect
import pickle
from pathlib import Path

import pytest

import crypto
from crypto import errors
from crypto.errors import (
    VERIFICATION_REASONS,
    CryptoError,
    DigestError,
    FieldSyntaxError,
    InvalidSignature,
    KeyFileError,
    KeyFormatError,
    PassphraseError,
    ProfileError,
    VerificationError,
)

ERRORS = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
RAISED_ABOVE = {"policy"}


def _reasons_in_the_code() -> set[str]:
    names = {"VerificationError", "FieldSyntaxError", "ProfileError", "DigestError"}
    found: set[str] = set()
    for path in Path(crypto.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in names and node.args:
                reason = node.args[0]
                if isinstance(reason, ast.Constant):
                    found.add(str(reason.value))
                else:
                    assert ast.unparse(reason) == "error.reason", f"{path}:{node.lineno}: name the reason"
    return found


def test_every_reason_that_the_code_gives_is_registered_and_the_other_way_round() -> None:
    assert _reasons_in_the_code() | {InvalidSignature().reason} | RAISED_ABOVE == VERIFICATION_REASONS


def test_every_error_is_a_crypto_error() -> None:
    assert len(ERRORS) >= 29
    assert [error for error in ERRORS if not issubclass(error, CryptoError)] == []


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (PassphraseError, KeyFormatError),
        (KeyFileError, KeyFormatError),
        (FieldSyntaxError, VerificationError),
        (ProfileError, VerificationError),
        (DigestError, VerificationError),
        (InvalidSignature, VerificationError),
    ],
)
def test_the_tree_is_the_one_that_is_drawn(child: type[Exception], parent: type[Exception]) -> None:
    assert child.__bases__ == (parent,)


def test_reason_and_detail_make_one_line() -> None:
    error = ProfileError("expired", "sig1: by 9 s")
    assert (error.reason, error.detail, str(error)) == ("expired", "sig1: by 9 s", "expired: sig1: by 9 s")
    assert str(ProfileError("expired")) == "expired"


def test_an_invalid_signature_has_its_reason_by_itself() -> None:
    assert str(InvalidSignature()) == "invalid-signature"
    assert InvalidSignature(detail="sig1").detail == "sig1"


def test_a_detail_that_a_peer_made_long_is_cut() -> None:
    assert FieldSyntaxError("malformed-field", "x" * 240).detail == "x" * 240
    assert FieldSyntaxError("malformed-field", "x" * 241).detail == "x" * 240 + "..."


@pytest.mark.parametrize("error", [DigestError("digest-missing", "none"), InvalidSignature(detail="sig2")])
def test_errors_cross_processes(error: VerificationError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.reason, copy.detail) == (type(error), error.reason, error.detail)
