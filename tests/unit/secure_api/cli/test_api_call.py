"""Answers that are not what was hoped for: each has its exit status and its one line."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from secure_api import __version__
from secure_api.cli.answer import Answer
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ClientProfile, ProfileStore
from tests.command_line import CommandLine
from tests.unit.secure_api.cli.odd_server import OddServer


def test_a_success_is_printed_as_it_came(secure_api: CommandLine, odd: OddServer) -> None:
    odd.body = b'{"a":  [1, "\xc3\xbc"]}'
    outcome = secure_api.ok("request", "get", "/v1/x?y=1", "-p", "p", "-H", "X-A: b")
    assert (outcome.out, outcome.err) == (odd.body.decode(), "")
    ((method, path, fields, body),) = odd.received
    assert (method, path, fields["x-a"], body) == ("GET", "/v1/x?y=1", "b", b"")
    assert fields["user-agent"] == f"secure-api/{__version__}"
    assert {"content-type", "content-digest", "signature-input", "signature"} <= fields.keys()


def test_the_body_is_sent_byte_for_byte(secure_api: CommandLine, odd: OddServer) -> None:
    secure_api.ok("request", "POST", "/x", "-p", "p", "--json", "-", stdin=b' {"a" :1}\n')
    secure_api.ok("request", "POST", "/x", "-p", "p", "--json", "{}", "-H", "Content-Type: application/x+json")
    assert [body for *_, body in odd.received] == [b' {"a" :1}\n', b"{}"]
    assert [fields["content-type"] for *_, fields, _body in odd.received] == ["application/json", "application/x+json"]


@pytest.mark.parametrize(
    ("status", "exit_code"), [(400, 4), (401, 4), (404, 4), (499, 4), (500, 5), (503, 5), (302, 1), (304, 1)]
)
def test_the_status_decides(secure_api: CommandLine, odd: OddServer, status: int, exit_code: int) -> None:
    odd.status = status
    outcome = secure_api("request", "GET", "/x", "-p", "p")
    assert outcome.error(exit_code).startswith(f"HTTP {status}")
    assert secure_api("organizations", "list", "-p", "p").error(exit_code).startswith(f"HTTP {status}")


def test_a_problem_is_said_in_full(secure_api: CommandLine, odd: OddServer) -> None:
    errors = [{"pointer": "/a", "detail": "too long"}]
    odd.problem(
        422, json.dumps({"status": 422, "title": "Validation failed", "detail": "No.", "errors": errors}).encode()
    )
    outcome = secure_api("request", "POST", "/x", "-p", "p", "--json", "{}")
    assert outcome.status == ExitCode.CLIENT_ERROR
    assert outcome.err == "error: HTTP 422 Validation failed: No.\n  /a: too long\n"
    assert outcome.out == odd.body.decode()
    odd.fields["X-Request-ID"] = "7"
    odd.status = 401
    assert "request 7" in secure_api("clients", "list", "-p", "p").err
    odd.status = 500
    assert "the server's log knows more (request 7)" in secure_api("request", "GET", "/x", "-p", "p").err


def test_a_redirect_is_not_followed(secure_api: CommandLine, odd: OddServer) -> None:
    odd.status, odd.fields = 307, {"Location": "https://other.example/"}
    outcome = secure_api("request", "GET", "/x", "-p", "p")
    assert outcome.error(ExitCode.FAILURE) == "HTTP 307 Temporary Redirect, to https://other.example/"
    assert "redirects are not followed" in outcome.err
    assert len(odd.received) == 1


def test_no_answer_can_command_the_terminal(secure_api: CommandLine, odd: OddServer) -> None:
    odd.problem(400, json.dumps({"status": 400, "title": "\x1b[2J\u202e", "detail": "\x9b1m\r"}).encode())
    outcome = secure_api("request", "GET", "/x", "-p", "p", "--verbose")
    assert "error: HTTP 400 \\u001b[2J\\u202e: \\u009b1m\\u000d" in outcome.err
    assert "\x1b" not in outcome.err


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "has no organizations"),
        (b"<html>", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"[" * 50_000, "is not a JSON object"),
        (b"{}", "has no organizations"),
        (b'{"organizations": [{"name": "x"}]}', "has no id"),
    ],
)
def test_an_answer_of_another_kind_of_server(
    secure_api: CommandLine, odd: OddServer, body: bytes, message: str
) -> None:
    odd.body = body
    outcome = secure_api("organizations", "list", "-p", "p")
    assert message in outcome.error(ExitCode.FAILURE)
    assert "hint: is that URL a secure-api server's?" in outcome.err


def test_a_member_that_is_missing_deep_inside() -> None:
    answer = Answer.parse(b'{"a": [{"b": {}}]}')
    with pytest.raises(CliError, match="has no c"):
        answer["a"][0]["b"]["c"]


def test_an_encoding_that_is_a_lie(secure_api: CommandLine, odd: OddServer) -> None:
    odd.fields, odd.body = {"Content-Encoding": "gzip"}, b"not gzip"
    assert "no answer from" in secure_api("request", "GET", "/x", "-p", "p").error(ExitCode.UNREACHABLE)


def test_a_server_that_does_not_answer_in_time(secure_api: CommandLine, odd: OddServer) -> None:
    odd.hang = True
    outcome = secure_api("request", "GET", "/x", "-p", "p", "--timeout", "0.2")
    assert outcome.error(ExitCode.UNREACHABLE) == f"no answer from {odd.url}/x in time"


def test_a_server_that_is_not_there(secure_api: CommandLine, key_file: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ProfileStore(secure_api.config).put(ClientProfile("p", url, (key_file,)))
        outcome = secure_api("request", "GET", "/x", "-p", "p")
    assert "Connection refused" in outcome.error(ExitCode.UNREACHABLE)
    assert "hint: is the server running?" in outcome.err


@pytest.mark.parametrize("url", ["https://nowhere.invalid", "https://[::1]:1"])
def test_a_name_or_port_that_is_not_there(secure_api: CommandLine, key_file: Path, url: str) -> None:
    ProfileStore(secure_api.config).put(ClientProfile("p", url, (key_file,)))
    assert "no answer from" in secure_api("request", "GET", "/x", "-p", "p").error(ExitCode.UNREACHABLE)


def test_a_proxy_variable_that_makes_no_sense(
    secure_api: CommandLine, odd: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert "Unknown scheme for proxy URL" in secure_api("request", "GET", "/x", "-p", "p").error(ExitCode.FAILURE)


@pytest.mark.parametrize("path", ["/\x00", "https://[::1", "https://other.example/"])
def test_targets_that_make_no_sense(secure_api: CommandLine, odd: OddServer, path: str) -> None:
    secure_api("request", "GET", path, "-p", "p").error(ExitCode.USAGE)
    assert odd.received == []


def test_any_host_lets_a_person_sign_for_another_server(
    secure_api: CommandLine, odd: OddServer, key_file: Path
) -> None:
    ProfileStore(secure_api.config).put(ClientProfile("other", "https://other.invalid", (key_file,)))
    secure_api("request", "GET", f"{odd.url}/x", "-p", "other").error(ExitCode.USAGE)
    assert odd.received == []
    secure_api.ok("request", "GET", f"{odd.url}/x", "-p", "other", "--any-host")
    assert len(odd.received) == 1


def test_output_takes_the_body_of_a_success_only(secure_api: CommandLine, odd: OddServer, tmp_path: Path) -> None:
    odd.body = b"\x00\xff"
    file = tmp_path / "body"
    assert secure_api.ok("request", "GET", "/x", "-p", "p", "-o", file).out == ""
    assert file.read_bytes() == odd.body
    odd.status, odd.body = 404, b"gone"
    assert secure_api("request", "GET", "/x", "-p", "p", "-o", file).out == "gone"
    assert file.read_bytes() == b"\x00\xff"
    odd.status = 200
    unwritable = secure_api("request", "GET", "/x", "-p", "p", "-o", tmp_path / "absent" / "body")
    assert "cannot write" in unwritable.error(ExitCode.FAILURE)


def test_verbose_shows_what_was_signed(secure_api: CommandLine, odd: OddServer) -> None:
    odd.fields = {"X-Request-ID": "7"}
    said = secure_api.ok("request", "POST", "/x?y=1", "-p", "p", "--json", "{}", "--verbose").err
    assert "> POST /x?y=1\n" in said
    assert (
        f'signed as sig1:\n"@method": POST\n"@authority": 127.0.0.1:{odd.port}\n"@path": /x\n"@query": ?y=1\n' in said
    )
    assert "\n< HTTP 200 OK (" in said
    assert "\n< x-request-id: 7\n" in said


def test_enrollment_at_another_kind_of_server_writes_no_profile(
    secure_api: CommandLine, odd: OddServer, key_file: Path
) -> None:
    odd.status = 201
    arguments = ("enroll", "--url", odd.url, "--key", key_file, "--profile", "new")
    assert "has no organization" in secure_api(*arguments, "--token", "sat_x").error(ExitCode.FAILURE)
    assert "an enrollment token is needed" in secure_api(*arguments).error(ExitCode.USAGE)
    assert "an enrollment token is needed" in secure_api(*arguments, "--token", "-").error(ExitCode.USAGE)
    assert list(ProfileStore(secure_api.config).load()) == ["p"]
    assert len(odd.received) == 1


def test_enrollment_refuses_before_it_spends_the_token(secure_api: CommandLine, odd: OddServer, key_file: Path) -> None:
    common = ("enroll", "--url", odd.url, "--token", "sat_x", "--key", key_file)
    assert "there is a profile p already" in secure_api(*common, "--profile", "p").error(ExitCode.KEY)
    assert "needs a name" in secure_api(*common, "--profile", " ").error(ExitCode.USAGE)
    bad = secure_api("enroll", "--url", "api.example", "--token", "x", "--key", key_file, "--profile", "q")
    assert "is not an http or https URL" in bad.error(ExitCode.USAGE)
    absent = secure_api("enroll", "--url", odd.url, "--token", "x", "--key", "/absent.pem", "--profile", "q")
    assert "absent.pem" in absent.error(ExitCode.KEY)
    assert odd.received == []


def test_rotation_to_a_key_of_somebody_else_changes_no_profile(
    secure_api: CommandLine, odd: OddServer, tmp_path: Path
) -> None:
    new = tmp_path / "new.pem"
    secure_api.ok("keys", "generate", "-a", "ed25519", "--out", new, "--no-passphrase")
    before = ProfileStore(secure_api.config).get("p")
    odd.problem(409, b'{"status": 409, "title": "Conflict"}')
    assert secure_api("keys", "rotate", "-p", "p", "--key", new).error(ExitCode.CLIENT_ERROR) == "HTTP 409 Conflict"
    assert [path for _, path, *_ in odd.received] == ["/v1/clients/me/keys", "/v1/clients/me"]
    assert ProfileStore(secure_api.config).get("p") == before


def test_a_key_is_not_rotated_to_itself(secure_api: CommandLine, odd: OddServer, key_file: Path) -> None:
    assert "cannot sign twice" in secure_api("keys", "rotate", "-p", "p", "--key", key_file).error(ExitCode.USAGE)
    assert odd.received == []


def test_ones_own_key_is_not_revoked_unasked(secure_api: CommandLine, odd: OddServer, key_file: Path) -> None:
    keyid = secure_api.ok("keys", "show", key_file, "--json").json["keyid"]
    assert "signs with" in secure_api("keys", "revoke", keyid, "-p", "p").error(ExitCode.USAGE)
    assert odd.received == []
    odd.status = 204
    assert secure_api.ok("keys", "revoke", keyid, "-p", "p", "--yes", "--json").json["status"] == "revoked"
    secure_api.ok("keys", "revoke", "a/b", "-p", "p")
    assert [path for _, path, *_ in odd.received] == [f"/v1/keys/{keyid}", "/v1/keys/a%2Fb"]
