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
from tests.cli.program import Program
from tests.unit.secure_api.cli.conftest import DISCOVERY, KEY, SERVER_KEY, UNPINNED
from tests.unit.secure_api.cli.odd_server import OddServer


def test_a_success_is_printed_as_it_came(program: Program, odd: OddServer) -> None:
    odd.body = b'{"a":  [1, "\xc3\xbc"]}'
    outcome = program("request", "get", "/v1/x?y=1", "-p", "p", "-H", "X-A: b").ok()
    assert (outcome.out, outcome.said) == (odd.body.decode(), UNPINNED)
    ((method, path, fields, body),) = odd.received
    assert (method, path, fields["x-a"], body) == ("GET", "/v1/x?y=1", "b", b"")
    assert fields["user-agent"] == f"secure-api/{__version__}"
    assert {"content-type", "content-digest", "signature-input", "signature"} <= fields.keys()


def test_the_body_is_sent_byte_for_byte(program: Program, odd: OddServer) -> None:
    program("request", "POST", "/x", "-p", "p", "--json", "-", stdin=b' {"a" :1}\n').ok()
    program("request", "POST", "/x", "-p", "p", "--json", "{}", "-H", "Content-Type: application/x+json").ok()
    assert [body for *_, body in odd.received] == [b' {"a" :1}\n', b"{}"]
    assert [fields["content-type"] for *_, fields, _body in odd.received] == ["application/json", "application/x+json"]


@pytest.mark.parametrize(
    ("status", "exit_code"), [(400, 4), (401, 4), (404, 4), (499, 4), (500, 5), (503, 5), (302, 1), (304, 1)]
)
def test_the_status_decides(program: Program, odd: OddServer, status: int, exit_code: int) -> None:
    odd.status = status
    outcome = program("request", "GET", "/x", "-p", "p")
    assert outcome.failed(exit_code).error.startswith(f"HTTP {status}")
    assert program("organizations", "list", "-p", "p").failed(exit_code).error.startswith(f"HTTP {status}")


def test_a_problem_is_said_in_full(program: Program, odd: OddServer) -> None:
    errors = [{"pointer": "/a", "detail": "too long"}]
    odd.problem(
        422, json.dumps({"status": 422, "title": "Validation failed", "detail": "No.", "errors": errors}).encode()
    )
    outcome = program("request", "POST", "/x", "-p", "p", "--json", "{}")
    assert outcome.status == ExitCode.CLIENT_ERROR
    assert outcome.said == UNPINNED + "error: HTTP 422 Validation failed: No.\n  /a: too long\n"
    assert outcome.out == odd.body.decode()
    odd.fields["X-Request-ID"] = "7"
    odd.status = 401
    assert "request 7" in program("clients", "list", "-p", "p").said
    odd.status = 500
    assert "the server's log knows more (request 7)" in program("request", "GET", "/x", "-p", "p").said


def test_a_redirect_is_not_followed(program: Program, odd: OddServer) -> None:
    odd.status, odd.fields = 307, {"Location": "https://other.example/"}
    outcome = program("request", "GET", "/x", "-p", "p")
    assert outcome.failed(ExitCode.FAILURE).error == "HTTP 307 Temporary Redirect, to https://other.example/"
    assert "redirects are not followed" in outcome.said
    assert len(odd.received) == 1


def test_no_answer_can_command_the_terminal(program: Program, odd: OddServer) -> None:
    odd.problem(400, json.dumps({"status": 400, "title": "\x1b[2J\u202e", "detail": "\x9b1m\r"}).encode())
    outcome = program("request", "GET", "/x", "-p", "p", "--verbose")
    assert "error: HTTP 400 \\u001b[2J\\u202e: \\u009b1m\\u000d" in outcome.said
    assert "\x1b" not in outcome.said


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
def test_an_answer_of_another_kind_of_server(program: Program, odd: OddServer, body: bytes, message: str) -> None:
    odd.body = body
    outcome = program("organizations", "list", "-p", "p")
    assert message in outcome.failed(ExitCode.FAILURE).error
    assert "hint: is that URL a secure-api server's?" in outcome.said


def test_a_member_that_is_missing_deep_inside() -> None:
    answer = Answer.parse(b'{"a": [{"b": {}}]}')
    with pytest.raises(CliError, match="has no c"):
        answer["a"][0]["b"]["c"]


def test_an_encoding_that_is_a_lie(program: Program, odd: OddServer) -> None:
    odd.fields, odd.body = {"Content-Encoding": "gzip"}, b"not gzip"
    assert "no answer from" in program("request", "GET", "/x", "-p", "p").failed(ExitCode.UNREACHABLE).error


def test_a_server_that_does_not_answer_in_time(program: Program, odd: OddServer) -> None:
    odd.hang = True
    outcome = program("request", "GET", "/x", "-p", "p", "--timeout", "0.2")
    assert outcome.failed(ExitCode.UNREACHABLE).error == f"no answer from {odd.url}/x in time"


def test_a_server_that_is_not_there(program: Program, key_file: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ProfileStore(program.config).put(ClientProfile("p", url, (key_file,)))
        outcome = program("request", "GET", "/x", "-p", "p")
    assert "Connection refused" in outcome.failed(ExitCode.UNREACHABLE).error
    assert "hint: is the server running?" in outcome.said


@pytest.mark.parametrize("url", ["https://nowhere.invalid", "https://[::1]:1"])
def test_a_name_or_port_that_is_not_there(program: Program, key_file: Path, url: str) -> None:
    ProfileStore(program.config).put(ClientProfile("p", url, (key_file,)))
    assert "no answer from" in program("request", "GET", "/x", "-p", "p").failed(ExitCode.UNREACHABLE).error


def test_a_proxy_variable_that_makes_no_sense(
    program: Program, odd: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert "Unknown scheme for proxy URL" in program("request", "GET", "/x", "-p", "p").failed(ExitCode.FAILURE).error


@pytest.mark.parametrize("path", ["/\x00", "https://[::1", "https://other.example/"])
def test_targets_that_make_no_sense(program: Program, odd: OddServer, path: str) -> None:
    program("request", "GET", path, "-p", "p").failed(ExitCode.USAGE)
    assert odd.received == []


def test_any_host_lets_a_person_sign_for_another_server(program: Program, odd: OddServer, key_file: Path) -> None:
    ProfileStore(program.config).put(ClientProfile("other", "https://other.invalid", (key_file,)))
    program("request", "GET", f"{odd.url}/x", "-p", "other").failed(ExitCode.USAGE)
    assert odd.received == []
    program("request", "GET", f"{odd.url}/x", "-p", "other", "--any-host").ok()
    assert len(odd.received) == 1


def test_output_takes_the_body_of_a_success_only(program: Program, odd: OddServer, tmp_path: Path) -> None:
    odd.body = b"\x00\xff"
    file = tmp_path / "body"
    assert program("request", "GET", "/x", "-p", "p", "-o", file).ok().out == ""
    assert file.read_bytes() == odd.body
    odd.status, odd.body = 404, b"gone"
    assert program("request", "GET", "/x", "-p", "p", "-o", file).out == "gone"
    assert file.read_bytes() == b"\x00\xff"
    odd.status = 200
    unwritable = program("request", "GET", "/x", "-p", "p", "-o", tmp_path / "absent" / "body")
    assert "cannot write" in unwritable.failed(ExitCode.FAILURE).error


def test_verbose_shows_what_was_signed(program: Program, odd: OddServer) -> None:
    odd.fields = {"X-Request-ID": "7"}
    said = program("request", "POST", "/x?y=1", "-p", "p", "--json", "{}", "--verbose").ok().said
    assert "> POST /x?y=1\n" in said
    assert (
        f'signed as sig1:\n"@method": POST\n"@authority": 127.0.0.1:{odd.port}\n"@path": /x\n"@query": ?y=1\n' in said
    )
    assert "\n< HTTP 200 OK (" in said
    assert "\n< x-request-id: 7\n" in said


def test_enrollment_at_another_kind_of_server_writes_no_profile(
    program: Program, odd: OddServer, key_file: Path
) -> None:
    odd.status = 201
    arguments = ("enroll", "--url", odd.url, "--key", key_file, "--profile", "new")
    assert "an enrollment token is needed" in program(*arguments).failed(ExitCode.USAGE).error
    assert "an enrollment token is needed" in program(*arguments, "--token", "-").failed(ExitCode.USAGE).error
    assert odd.received == []
    refused = program(*arguments, "--token", "sat_x").failed(ExitCode.FAILURE)
    assert refused.error == f"{odd.url}: the discovery document is no JSON object"
    assert "is that URL a secure-api server's?" in refused.said
    assert list(ProfileStore(program.config).load()) == ["p"]
    assert [route for *route, _, _ in odd.received] == [list(DISCOVERY)]
    assert not (program.config / "keys").exists()


def test_an_enrollment_that_is_refused_has_the_token_in_mind(
    program: Program, odd: OddServer, key_file: Path, tmp_path: Path
) -> None:
    odd.problem(401, b'{"type": "urn:problem-type:secure-api:authentication-failed", "title": "T", "status": 401}')
    odd.fields["X-Request-Id"] = "r7"
    odd.routes[DISCOVERY] = 200, json.dumps({"keys": [SERVER_KEY.jwk()]}).encode()
    words = ("enroll", "--url", odd.url, "--key", key_file, "--profile", "new")
    said = program(*words, "--token", "sat_x").failed(ExitCode.CLIENT_ERROR).said
    assert "hint: is the token spent or expired? It works once: ask an admin for a new one." in said
    assert "(request r7)" in said
    assert "token" not in program(*words, "--existing").failed(ExitCode.CLIENT_ERROR).said


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "\u00e4", "a\n", "x" * 65, "\u202ea"])
def test_a_profile_has_a_plain_name(program: Program, odd: OddServer, key_file: Path, name: str) -> None:
    words = ("enroll", "--url", odd.url, "--key", key_file, "--token", "sat_x", "--profile", name)
    assert "is not a name for a profile" in program(*words).failed(ExitCode.USAGE).error
    assert odd.received == []


def test_enrollment_refuses_before_it_spends_the_token(program: Program, odd: OddServer, key_file: Path) -> None:
    common = ("enroll", "--url", odd.url, "--token", "sat_x", "--key", key_file)
    assert "there is a profile p already" in program(*common, "--profile", "p").failed(ExitCode.KEY).error
    assert "is not a name" in program(*common, "--profile", " ").failed(ExitCode.USAGE).error
    bad = program("enroll", "--url", "api.example", "--token", "x", "--key", key_file, "--profile", "q")
    assert "is not an http or https URL" in bad.failed(ExitCode.USAGE).error
    absent = program("enroll", "--url", odd.url, "--token", "x", "--key", "/absent.pem", "--profile", "q")
    assert "absent.pem" in absent.failed(ExitCode.KEY).error
    assert odd.received == []


def test_rotation_to_a_key_of_somebody_else_changes_no_profile(
    program: Program, odd: OddServer, tmp_path: Path
) -> None:
    new = tmp_path / "new.pem"
    program("keys", "generate", "-a", "ed25519", "--out", new, "--no-passphrase").ok()
    before = ProfileStore(program.config).get("p")
    odd.problem(409, b'{"status": 409, "title": "Conflict"}')
    assert program("keys", "rotate", "-p", "p", "--key", new).failed(ExitCode.CLIENT_ERROR).error == "HTTP 409 Conflict"
    assert [path for _, path, *_ in odd.received] == ["/v1/clients/me/keys", "/v1/clients/me"]
    assert ProfileStore(program.config).get("p") == before


@pytest.mark.parametrize(("known", "found"), [([KEY.keyid], True), (["another"], False)])
def test_a_rotation_whose_answer_was_lost_is_found_done(
    program: Program, odd: OddServer, tmp_path: Path, known: list[str], found: bool
) -> None:
    new = tmp_path / "new.pem"
    keyid = program("keys", "generate", "-a", "ed25519", "--out", new, "--no-passphrase").ok().out.strip()
    me = {"id": "7", "keys": [{"keyid": keyid, "status": "active"}, *({"keyid": old} for old in known)]}
    odd.routes = {
        ("POST", "/v1/clients/me/keys"): (401, b""),
        ("GET", "/v1/clients/me"): (200, json.dumps(me).encode()),
    }
    outcome = program("keys", "rotate", "-p", "p", "--key", new, "--json")
    if found:
        assert outcome.ok().json() == me
    else:
        assert outcome.failed(ExitCode.CLIENT_ERROR).error == "HTTP 401 Unauthorized"
    assert ProfileStore(program.config).get("p").keys[0] == (new if found else tmp_path / "key.pem")


def test_a_key_is_not_rotated_to_itself(program: Program, odd: OddServer, key_file: Path) -> None:
    assert "cannot sign twice" in program("keys", "rotate", "-p", "p", "--key", key_file).failed(ExitCode.USAGE).error
    assert odd.received == []


def test_ones_own_key_is_not_revoked_unasked(program: Program, odd: OddServer, key_file: Path) -> None:
    keyid = program("keys", "show", key_file, "--json").ok().json()["keyid"]
    assert "signs with" in program("keys", "revoke", keyid, "-p", "p").failed(ExitCode.USAGE).error
    assert odd.received == []
    odd.status = 204
    assert program("keys", "revoke", keyid, "-p", "p", "--yes", "--json").ok().json()["status"] == "revoked"
    program("keys", "revoke", "a/b", "-p", "p").ok()
    assert [path for _, path, *_ in odd.received] == [f"/v1/keys/{keyid}", "/v1/keys/a%2Fb"]
