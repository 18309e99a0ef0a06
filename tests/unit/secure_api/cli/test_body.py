"""Bodies and fields as the command line gives them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from secure_api.cli.body import read_body, read_headers, read_method
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode


def test_no_body() -> None:
    assert read_body(None) == b""


@pytest.mark.parametrize(
    "text", ['{"a": 1}', " [1,\n2] ", '"ü"', "1e400", "NaN", '{"a":1,"a":2}', "9" * 5_000, '"\\ud800"']
)
def test_text_is_sent_byte_for_byte(text: str) -> None:
    assert read_body(text) == text.encode()


@pytest.mark.parametrize("content", [b'{"a": 1}\n', b'"\xff"', b"[" * 100_000 + b"]" * 100_000])
def test_files_are_sent_byte_for_byte_and_the_server_judges(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "body.json").write_bytes(content)
    assert read_body(f"@{tmp_path}/body.json") == content


@pytest.mark.parametrize("given", ["-", "@-"])
def test_stdin_is_sent_byte_for_byte(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 1}\r\n')))
    assert read_body(given) == b'{"a": 1}\r\n'


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", '{"a": 1,}', "[1] 2", "\ufeff{}", "{'a'"])
def test_what_is_not_json_is_named_with_its_place(text: str) -> None:
    with pytest.raises(CliError, match="--json is not JSON: ") as caught:
        read_body(text)
    assert caught.value.code is ExitCode.USAGE


def test_a_stdin_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CliError, match="is not JSON"):
        read_body("-")


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(CliError, match="cannot read ") as caught:
        read_body(f"@{tmp_path / name}")
    assert caught.value.code is ExitCode.USAGE


def test_header_fields() -> None:
    assert read_headers(["X-A: b: c", "x-empty:", 'If-Match:\t"1" ']) == [
        ("X-A", "b: c"),
        ("x-empty", ""),
        ("If-Match", '"1"'),
    ]


@pytest.mark.parametrize("text", ["", "X-A", ": b", "X A: b", "X-A: b\r\nX-B: c", "X-A: ü", "X-Ä: b", "X-A: \x7f"])
def test_what_is_no_header_field(text: str) -> None:
    with pytest.raises(CliError, match="is not a header field") as caught:
        read_headers([text])
    assert caught.value.code is ExitCode.USAGE


@pytest.mark.parametrize("name", ["Host", "content-length", "Signature", "SIGNATURE-INPUT", "Content-Digest"])
def test_fields_that_follow_from_the_request_are_not_set_by_hand(name: str) -> None:
    with pytest.raises(CliError, match="follows from the request"):
        read_headers([f"{name}: x"])


def test_methods() -> None:
    assert [read_method(text) for text in ("get", "POST", "Purge")] == ["GET", "POST", "PURGE"]
    for text in ("", "G ET", "GET\r\n", "GËT", "a/b"):
        with pytest.raises(CliError, match="is not a method"):
            read_method(text)
