"""`secure-api request`, `sign` and `verify` against a real server: what is sent, what is shown, what it is worth."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto import read_private_key
from secure_api.app import PUBLIC_PATHS
from secure_api.client import ClientProfile, ProfileStore
from tests.cli.conftest import Consortium
from tests.cli.program import COMMAND, Program

Unique = Callable[[str], str]
RECORD = {"time": "2026-11-22T09:30:00Z", "attributes": {"ward": "3b", "pulse": 61}}
ME = "/v1/clients/me"


@pytest.fixture
def program(consortium: Consortium) -> Program:
    """The program in front of the shared server."""
    return consortium.program


@pytest.fixture
def dataset(program: Program, unique: Unique) -> str:
    """A dataset of clinic's, as a path of its records."""
    name = unique("set")
    body = json.dumps({"name": name})
    program("request", "POST", "/v1/datasets", "-p", "clinic", "--json", body).ok()
    return f"/v1/datasets/{name}/records"


@pytest.mark.parametrize("way", ["text", "file", "stdin"])
def test_a_body_however_it_comes(program: Program, dataset: str, tmp_path: Path, way: str) -> None:
    body = json.dumps(RECORD, indent=7).encode() + b"\r\n\t"
    (tmp_path / "body.json").write_bytes(body)
    given = {"text": body.decode(), "file": f"@{tmp_path}/body.json", "stdin": "-"}[way]
    done = program("request", "post", dataset, "-p", "clinic", "--json", given, stdin=body if way == "stdin" else b"")
    assert done.ok().json() == {"accepted": 1}
    assert done.said == ""
    assert program("request", "GET", dataset, "-p", "clinic").ok().json()["records"] == [RECORD]


@pytest.mark.parametrize("path", [ME, "v1/clients/me", "//v1/clients/me", "{url}/v1/clients/me", "{URL}/v1/clients/me"])
def test_a_path_or_the_servers_own_url(consortium: Consortium, path: str) -> None:
    whole = path.format(url=consortium.url, URL=consortium.url.upper().replace("HTTP", "Http"))
    assert consortium.program("request", "GET", whole, "-p", "clinic").ok().json()["organization"] == "clinic"


def test_a_query_may_hold_a_url(program: Program, dataset: str) -> None:
    done = program("request", "GET", f"{dataset}?cursor=https://x.example/%20", "-p", "clinic")
    done.failed(4, "cursor")


@pytest.mark.parametrize("path", ["http://other.example/v1", "https://127.0.0.1:{port}/v1", "http://127.0.0.1:1/v1"])
def test_nothing_is_signed_for_another_server(consortium: Consortium, path: str) -> None:
    target = path.format(port=consortium.serving.port)
    consortium.program("request", "GET", target, "-p", "clinic").failed(2, "not on the profile's server", "--any-host")


def test_statuses(consortium: Consortium, program: Program, dataset: str, tmp_path: Path) -> None:
    done = program("request", "GET", "/v1/nothing", "-p", "clinic").failed(4, "HTTP 404")
    assert done.json()["status"] == 404
    bad = '{"time": "2026-11-22T09:30:00Z",\n "attributes": {"pulse": 1e999}}'
    program("request", "POST", dataset, "-p", "clinic", "--json", bad).failed(4, "/attributes/pulse", "line 2")
    program("request", "POST", dataset, "-p", "clinic", "--json", "{").failed(2, "not JSON")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        keys = ProfileStore(program.config).get("clinic").keys
        ProfileStore(tmp_path).put(ClientProfile("away", url, keys))
        program("request", "GET", ME, "-p", "away", "--config", tmp_path).failed(6, url, "is the server running?")
    program("request", "GET", ME, "-p", "nobody").failed(7, "no profile nobody", "clinic")


def test_output_and_other_fields(program: Program, tmp_path: Path) -> None:
    target = tmp_path / "me.json"
    words = ("request", "GET", ME, "-p", "clinic", "-H", "X-Request-Id: " + "a" * 32, "-H", "Accept:*/*")
    done = program(*words, "--output", target, "--verbose").ok()
    assert done.out == ""
    assert json.loads(target.read_bytes())["organization"] == "clinic"
    assert "> x-request-id: " + "a" * 32 in done.lines
    assert "> accept: */*" in done.lines
    for field in ("@method", "@authority", "@path", "@query", "content-type", "content-digest", "@signature-params"):
        assert any(line.startswith(f'"{field}": ') for line in done.lines), field
    assert any(line.startswith("< HTTP 200 OK (") for line in done.lines)
    program(*words, "--output", tmp_path / "no" / "me.json").failed(1, "cannot write")
    program(*words, "--output", tmp_path).failed(1, "cannot write")
    program("request", "GET", ME, "-p", "clinic", "-H", "no colon").failed(2, "header field")


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "1e300"])
def test_a_timeout_that_is_none(program: Program, seconds: str) -> None:
    done = program("request", "GET", ME, "-p", "clinic", "--timeout", seconds)
    assert done.status in {0, 2}, done.said


def test_a_profile_may_come_from_the_environment(consortium: Consortium) -> None:
    done = consortium.program.spawn("request", "GET", ME, env={"SECURE_API_PROFILE": "auditor"})
    assert done.ok().json()["role"] == "auditor"


def test_what_everybody_may_read_is_not_signed(program: Program) -> None:
    for path in sorted(PUBLIC_PATHS):
        for options in ((), ("--session",), ("--seal",)):
            assert program("request", "GET", path, "-p", "clinic", *options).ok().said == ""
    assert "is not signed" in program("request", "GET", "/healthz", "-p", "clinic", "--verbose").ok().said


def test_ctrl_c_ends_a_request_that_nobody_answers(consortium: Consortium, tmp_path: Path) -> None:
    program = consortium.program
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        clinic = ProfileStore(program.config).get("clinic")
        ProfileStore(tmp_path).put(ClientProfile("silent", url, clinic.keys, server_key=clinic.server_key))
        words = ("request", "GET", ME, "-p", "silent", "--config", str(tmp_path))
        with program.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()
            assert connection.recv(16).startswith(b"GET ")
            process.send_signal(signal.SIGINT)
            out, said = process.communicate()
            connection.close()
    assert (process.returncode, out, said) == (130, b"", b"")


@pytest.mark.parametrize("words", [("request", "GET", "/openapi.json"), ("ledger", "show", "--json")])
def test_a_reader_that_leaves_gets_no_traceback(program: Program, words: tuple[str, ...]) -> None:
    with program.start(*words, "-p", "admin", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")


def test_a_full_disk_is_one_line(program: Program) -> None:
    with Path("/dev/full").open("wb") as full:
        process = program.start("request", "GET", ME, "-p", "clinic", stdout=full, stderr=subprocess.PIPE)
        _, said = process.communicate()
    assert process.returncode == 1
    assert said.decode().splitlines() == ["error: No space left on device"]


def test_colors_and_form_are_for_terminals(consortium: Consortium) -> None:
    status, screen = consortium.program.on_terminal("request", "GET", ME, "-p", "clinic")
    assert (status, "\x1b[" in screen) == (0, True)
    status, screen = consortium.program.on_terminal("request", "GET", ME, "-p", "clinic", env={"NO_COLOR": "1"})
    assert (status, '"organization": "clinic"' in screen) == (0, True), screen
    status, screen = consortium.program.on_terminal("request", "GET", "/v1/nothing", "-p", "clinic")
    assert (status, "error: " in screen) == (4, True), screen
    status, screen = consortium.program.on_terminal("clients", "list")
    assert (status, "client" in screen, "active" in screen) == (0, True, True), screen


def test_a_signed_curl_line_works(consortium: Consortium, dataset: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    body = tmp_path / "odd name's.json"
    body.write_text(json.dumps(RECORD, indent=1) + "\r\n")
    for given, words in (
        (f"@{body}", ("POST", dataset)),
        (json.dumps({"time": RECORD["time"], "attributes": {"it's": "[:key:]\t{a}"}}), ("POST", dataset)),
        (None, ("GET", f"{dataset}?limit=2")),
        (None, ("HEAD", "/v1/clients/me")),
    ):
        options = () if given is None else ("--json", given)
        line = consortium.program("sign", *words, "-p", "clinic", *options, "--curl").ok().out
        assert len(line.splitlines()) == 1
        quiet = f"{line.rstrip()} --noproxy '*' -o /dev/stdout -w '\\n%{{http_code}}'"
        done = subprocess.run(["/bin/sh", "-c", quiet], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1] in {"200", "201", "405"}, (line, done)


def test_what_is_signed_is_verified(consortium: Consortium, tmp_path: Path) -> None:
    program = consortium.program
    public = tmp_path / "public.pem"
    public.write_bytes(
        program("keys", "show", ProfileStore(program.config).get("clinic").keys[0], "--public-pem").stdout
    )
    body = b'{"a":\t":key:",\r\n "b": "\xc3\xbc"}\n'
    message = program("sign", "POST", "/v1/x?y=1", "-p", "clinic", "--json", "-", "--http", stdin=body).ok().stdout
    assert message.endswith(b"\r\n\r\n" + body)
    assert program("verify", "-k", public, "-", stdin=message).ok().out.startswith("valid: sig1 by ")
    command = [*COMMAND, "verify", "--key", str(public), "--json", "-"]
    with (
        program.start("sign", "GET", ME, "-p", "clinic", "--http", stdout=subprocess.PIPE) as signing,
        subprocess.Popen(command, stdin=signing.stdout, stdout=subprocess.PIPE) as verifying,
    ):
        assert json.loads(verifying.communicate()[0])["valid"] is True
    changed = program("verify", "-k", public, "--json", "-", stdin=message.replace(b"POST", b"PUT", 1))
    assert (changed.status, changed.json()["reason"]) == (1, "invalid-signature")
    late = program("verify", "-k", public, "--at", "2999-01-01T00:00:00Z", "-", stdin=message)
    assert (late.status, "expired" in late.out + late.said) == (1, True)
    own = read_private_key(ProfileStore(program.config).get("clinic").keys[0], None)
    assert own.keyid in program("verify", "-k", public, "-", stdin=message).ok().out


def test_a_signature_of_sign_is_believed_once(consortium: Consortium) -> None:
    words = ("sign", "GET", ME, "-p", "clinic", "--as-json")
    fields = consortium.program(*words).ok().json()
    connection = consortium.serving.connect()
    statuses = []
    for _ in range(2):
        connection.request("GET", ME, headers=fields)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [200, 401]
