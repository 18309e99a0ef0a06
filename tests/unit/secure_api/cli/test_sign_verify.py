"""`sign` and `verify`: what one prints the other believes, and every change is named."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ClientProfile, ProfileStore
from tests.cli.program import Program
from tests.unit.secure_api.cli.conftest import KEY
from tests.unit.secure_api.cli.odd_server import OddServer

URL = "https://api.example/v1/x?y=1"


@pytest.fixture
def public(program: Program, key_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "public.pem"
    path.write_text(program("keys", "show", key_file, "--public-pem").ok().out)
    return path


@pytest.fixture
def message(program: Program, key_file: Path) -> bytes:
    arguments = ("sign", "POST", URL, "--key", key_file, "--json", '{"a": 1}', "--http")
    return program(*arguments).ok().out.encode()


def test_a_message_is_believed(program: Program, public: Path, message: bytes, tmp_path: Path) -> None:
    assert message.startswith(b"POST /v1/x?y=1 HTTP/1.1\r\nhost: api.example\r\n")
    assert message.endswith(b'\r\n\r\n{"a": 1}')
    verdict = program("verify", "--key", public, stdin=message).ok()
    assert verdict.out == f"valid: sig1 by {KEY.keyid} (ed25519)\n"
    (tmp_path / "request.http").write_bytes(message)
    report = program("verify", "--key", public, tmp_path / "request.http", "--json").ok().json()
    (label,) = report["signatures"]
    assert (report["valid"], label["keyid"], label["expires"] - label["created"]) == (True, KEY.keyid, 60)


def test_lines_that_an_editor_made_are_believed(program: Program, public: Path, message: bytes) -> None:
    assert program("verify", "--key", public, stdin=message.replace(b"\r\n", b"\n")).ok().said == ""
    verdict = program("verify", "--key", public, stdin=message.replace(b"\r\n", b"\n") + b" \n").ok()
    assert verdict.said == "warning: 2 bytes of blank space follow the request message: no signature covers them\n"


@pytest.mark.parametrize(
    "text",
    [
        b"GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo\x1b]0;st: x\r\n\r\n",
        b"x" * 5_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x" * 5_000 + b"\r\n\r\n",
    ],
)
def test_a_foreign_file_is_not_repeated(program: Program, public: Path, text: bytes) -> None:
    failed = program("verify", "--key", public, stdin=text).failed(ExitCode.USAGE)
    assert len(failed.error) < 100
    assert not any(piece in failed.error for piece in ("x1b", "u001b", "xxx", "bytearray"))


def test_a_long_keyid_is_cut_and_commands_nothing(program: Program, public: Path, message: bytes) -> None:
    verdict = program(
        "verify", "--key", public, stdin=re.sub(rb'keyid="[^"]*"', b'keyid="%b"' % (b"x" * 9_000), message)
    )
    assert (verdict.status, len(verdict.out) < 300) == (ExitCode.FAILURE, True)
    verdict = program("verify", "--key", public, stdin=message.replace(b'keyid="', b'keyid="\x1b[2J'))
    assert (verdict.status, b"\x1b" in verdict.stdout + verdict.stderr) == (ExitCode.FAILURE, False)


def test_a_signature_that_does_not_fit_is_said_in_a_whole_sentence(
    program: Program, public: Path, message: bytes
) -> None:
    changed = message.replace(b"POST /", b"PUT /")
    said = "sig1: no signature of this request by that key"
    assert program("verify", "--key", public, stdin=changed).out == f"NOT VALID: invalid-signature: {said}\n"
    assert program("verify", "--key", public, "--json", stdin=changed).json()["detail"] == said


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"POST /", b"PUT /", "invalid-signature"),
        (b"/v1/x", b"/v1/y", "invalid-signature"),
        (b"?y=1", b"?y=2", "invalid-signature"),
        (b"host: api", b"host: apj", "invalid-signature"),
        (b"content-type: application/json", b"content-type: text/plain", "invalid-signature"),
        (b'{"a": 1}', b'{"a": 2}', "digest-mismatch"),
        (b"content-digest: sha-256", b"content-digest: sha-255", "digest-missing"),
        (b'tag="secure-api"', b'tag="other"', "missing-signature"),
        (b'alg="ed25519"', b'alg="ml-dsa-44"', "algorithm-mismatch"),
        (b'"@method" ', b"", "coverage"),
        (b"created=", b"created=-", "window-too-long"),
        (b"signature: sig1=:", b"signature: sig1=:=", "malformed-field"),
    ],
)
def test_every_change_is_named(
    program: Program, public: Path, message: bytes, old: bytes, new: bytes, reason: str
) -> None:
    assert old in message
    changed = message.replace(old, new)
    verdict = program("verify", "--key", public, stdin=changed)
    assert (verdict.status, verdict.said) == (ExitCode.FAILURE, "")
    assert verdict.out.startswith("NOT VALID: ")
    report = program("verify", "--key", public, "--json", stdin=changed)
    assert (report.status, report.json()["valid"]) == (ExitCode.FAILURE, False)
    assert report.json()["reason"] == reason


def test_the_time_decides(program: Program, public: Path, message: bytes) -> None:
    past = program("verify", "--key", public, "--at", "2020-01-01T00:00:00Z", stdin=message)
    assert (past.status, "not-yet-valid" in past.out) == (ExitCode.FAILURE, True)
    future = program("verify", "--key", public, "--at", "2099-01-01T00:00:00+02:00", stdin=message)
    assert (future.status, "expired" in future.out) == (ExitCode.FAILURE, True)
    for text in ("yesterday", "2026-11-22T09:30:00", "2026-11-22", "0001-01-01T00:00:00+23:59"):
        assert program("verify", "--key", public, "--at", text, stdin=message).status in {
            ExitCode.USAGE,
            ExitCode.FAILURE,
        }
    assert "is not a time" in program("verify", "--key", public, "--at", "noon", stdin=message).failed(2).error


def test_another_key_is_unknown(program: Program, message: bytes, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    program("keys", "generate", "--out", other, "--no-passphrase").ok()
    verdict = program("verify", "--key", other, stdin=message)
    assert (verdict.status, "unknown-key" in verdict.out) == (ExitCode.FAILURE, True)


def test_a_hybrid_request_needs_both_keys(program: Program, key_file: Path, tmp_path: Path) -> None:
    pq = tmp_path / "pq.pem"
    program("keys", "generate", "--out", pq, "--no-passphrase").ok()
    both = program("sign", "GET", URL, "--key", pq, "--key", key_file, "--http").ok().out.encode()
    verdict = program("verify", "--key", pq, "--key", key_file, stdin=both).ok()
    assert [line.split()[1] for line in verdict.out.splitlines()] == ["sig1", "sig2"]
    assert program("verify", "--key", pq, stdin=both).status == ExitCode.FAILURE
    single = program("sign", "GET", URL, "--key", pq, "--http").ok().out.encode()
    verdict = program("verify", "--key", pq, "--key", key_file, stdin=single).ok()
    assert verdict.said == f"warning: no signature by {KEY.keyid}\n"


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_scheme_decides_which_port_is_left_out(program: Program, public: Path, scheme: str) -> None:
    key = public.with_name("key.pem")
    sent = program("sign", "GET", "http://api.example:443/", "--key", key, "--http").ok().out.encode()
    verdict = program("verify", "--key", public, "--scheme", scheme, stdin=sent)
    assert verdict.status == (ExitCode.OK if scheme == "http" else ExitCode.FAILURE)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is not complete"),
        (b"GET / HTTP/1.1\r\n", "is not complete"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", "is not complete"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "bytes follow"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nbody", "bytes follow"),
        (b"GET / HTTP/1.1\r\n\r\n", "is not an HTTP/1.1 request message"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "is not an HTTP/1.1 request message"),
        (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", "is not an HTTP/1.1 request message"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "is not an HTTP/1.1 request message"),
        (b"\x00\xff", "is not"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000, "is not an HTTP/1.1 request message"),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "target is not a path"),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "target is not a path"),
    ],
)
def test_what_is_no_message(program: Program, public: Path, text: bytes, complaint: str) -> None:
    assert complaint in program("verify", "--key", public, stdin=text).failed(ExitCode.USAGE).error


def test_a_message_without_a_signature(program: Program, public: Path) -> None:
    verdict = program("verify", "--key", public, stdin=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (verdict.status, "missing-signature" in verdict.out) == (ExitCode.FAILURE, True)


def test_chunked_bodies_are_put_together(program: Program, public: Path, message: bytes) -> None:
    head = message.partition(b"\r\n\r\n")[0].replace(b"content-length: 8", b"transfer-encoding: chunked")
    chunked = head + b'\r\n\r\n3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n'
    assert program("verify", "--key", public, stdin=chunked).ok().status == 0


def test_files_that_are_not_there(program: Program, public: Path, tmp_path: Path) -> None:
    assert "cannot read" in program("verify", "--key", public, tmp_path / "absent").failed(ExitCode.USAGE).error
    assert "absent" in program("verify", "--key", tmp_path / "absent").failed(ExitCode.KEY).error


def test_the_fields_are_the_default(program: Program, key_file: Path) -> None:
    text = program("sign", "GET", URL, "--key", key_file).ok().out
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "content-type",
        "content-digest",
        "signature-input",
        "signature",
    ]
    fields = program("sign", "GET", URL, "--key", key_file, "--as-json").ok().json()
    assert list(fields) == ["content-type", "content-digest", "signature-input", "signature"]


def test_the_lifetime_and_the_content_type_are_the_persons(program: Program, key_file: Path) -> None:
    arguments = ("sign", "GET", URL, "--key", key_file, "--lifetime", "7", "-H", "content-type: text/csv", "--as-json")
    fields = program(*arguments).ok().json()
    created, expires = (int(number) for number in re.findall(r"(?:created|expires)=(\d+)", fields["signature-input"]))
    assert (fields["content-type"], expires - created) == ("text/csv", 7)


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("HEAD", None), ("POST", '{"it\'s": "a $HOME `x`"}'), ("DELETE", None), ("PUT", "@file")],
)
def test_the_curl_line_is_ready(
    program: Program, odd: OddServer, key_file: Path, tmp_path: Path, method: str, body: str | None
) -> None:
    (tmp_path / "body.json").write_text('{\n"a": 1}\n')
    given = body if body != "@file" else f"@{tmp_path}/body.json"
    url = f"{odd.url}/v1/[x]/{{y}}?q=%5B1%5D&r=a%20b"
    line = program("sign", method, url, "--key", key_file, "--curl", *(["--json", given] if given else [])).ok().out
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=False, env=os.environ | {"NO_PROXY": "*"})
    assert done.returncode == 0, done.stderr
    ((sent, path, fields, content),) = odd.received
    assert (sent, fields["content-type"]) == (method, "application/json")
    assert content == (b"" if given is None else given.encode() if body != "@file" else b'{\n"a": 1}\n')
    assert shlex.split(line)[-1].endswith(path)
    message = [f"{sent} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    program(
        "verify", "--key", key_file, "--scheme", "http", stdin="\r\n".join(message).encode() + b"\r\n\r\n" + content
    ).ok()


def test_a_profile_signs_for_its_own_server(program: Program, key_file: Path) -> None:
    ProfileStore(program.config).put(ClientProfile("p", "https://api.example/consortium", (key_file,)))
    line = program("sign", "GET", "/v1/x", "-p", "p", "--curl").ok().out
    assert shlex.split(line)[-1] == "https://api.example/consortium/v1/x"
    assert "is not on the profile's server" in program("sign", "GET", "https://x.example/", "-p", "p").failed(2).error
    program("sign", "GET", "https://x.example/", "-p", "p", "--any-host").ok()


@pytest.mark.parametrize(
    "arguments",
    [
        ["sign", "GET", URL],
        ["sign", "GET", URL, "--key", "KEY", "--profile", "p"],
        ["sign", "GET", URL, "--key", "KEY", "--curl", "--http"],
        ["sign", "GET", "/v1/x", "--key", "KEY"],
        ["sign", "GET", "ftp://x/", "--key", "KEY"],
        ["sign", "GET", "https://x:99999/", "--key", "KEY"],
        ["sign", "GET", "https://x/\x01", "--key", "KEY"],
        ["sign", "G ET", URL, "--key", "KEY"],
        ["sign", "GET", URL, "--key", "KEY", "--json", "{"],
        ["sign", "GET", URL, "--key", "KEY", "--lifetime", "301"],
        ["sign", "GET", URL, "--key", "KEY", "-H", "Host: y"],
        ["sign", "GET", URL, "--key", "KEY", "--key", "KEY"],
    ],
)
def test_what_cannot_be_signed(program: Program, key_file: Path, arguments: list[str]) -> None:
    outcome = program(*(key_file if word == "KEY" else word for word in arguments))
    assert outcome.failed(ExitCode.USAGE).error
    assert outcome.out == ""


def test_bytes_pass_between_the_two_as_they_are(key_file: Path, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b'"\xff\r\n"')
    program = f"'{sys.executable}' -m secure_api"
    body = f"--json '@{tmp_path}/body'"
    command = f"{program} sign POST '{URL}' --key '{key_file}' {body} --http | {program} verify --key '{key_file}'"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith("valid: sig1")) == (0, True), done.stderr
