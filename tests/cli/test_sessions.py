"""`request --session`, `--seal` and `--repeat`, and `sessions`: what a person sees of sessions and seals."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from crypto import KemAlgorithm, PrivateKey, SignatureAlgorithm
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ClientProfile, ProfileStore, Session, SignatureAuth
from tests.cli.conftest import Consortium
from tests.cli.program import Program

Unique = Callable[[str], str]
ME = ("request", "GET", "/v1/clients/me", "-p", "clinic")
LIST = ("sessions", "list", "-p", "clinic", "--json")


@pytest.fixture
def program(consortium: Consortium) -> Program:
    """The program in front of the shared server."""
    return consortium.program


def opened(consortium: Consortium, profile: str = "clinic") -> str:
    """Open a session and leave it open; gives its name."""
    session = Session(SignatureAuth.from_profile(profile, consortium.program.config))
    with httpx.Client(base_url=consortium.url, auth=session, trust_env=False) as client:
        client.get("/v1/clients/me").raise_for_status()
    assert session.current is not None
    return session.current.id


def test_sessions_are_listed_and_ended(consortium: Consortium, program: Program) -> None:
    name = opened(consortium)
    rows = [line.split("\t") for line in program("sessions", "list", "-p", "clinic").ok().out.splitlines()]
    (row,) = (row for row in rows if row[0] == name)
    assert row[1] == "x-wing"
    created, expires, used = (datetime.fromisoformat(cell) for cell in row[2:])
    assert created <= used < expires
    assert (expires - created).total_seconds() == 3_600
    program("sessions", "end", name, "-p", "auditor").failed(4)
    assert f"{name} is over" in program("sessions", "end", name, "-p", "clinic").ok().said
    assert name not in [item["id"] for item in program(*LIST).ok().json()]
    program("sessions", "end", name, "-p", "clinic").failed(4, "404")
    another = opened(consortium)
    done = program("sessions", "end", another, "-p", "clinic", "--json").ok()
    assert done.json() == {"id": another, "status": "ended"}


def test_a_session_may_begin_with_a_hyphen(program: Program) -> None:
    for name in ("-" + "p" * 31, "--" + "z" * 30):
        program("sessions", "end", name, "-p", "clinic").failed(4, "404")
    program("sessions", "end", "not/a session?", "-p", "clinic").failed(4)


@pytest.mark.parametrize("suite", [None, *KemAlgorithm])
@pytest.mark.parametrize("seal", [(), ("--seal",)])
def test_a_request_in_a_session_of_its_own(program: Program, suite: KemAlgorithm | None, seal: tuple[str, ...]) -> None:
    before = program(*LIST).ok().json()
    words = ("--session", *seal, *(("--suite", suite.value) if suite else ()))
    done = program(*ME, *words).ok()
    assert (done.json()["organization"], done.said) == ("clinic", "")
    assert program(*LIST).ok().json() == before, "the session was ended"


def test_verbose_shows_every_protection(program: Program, unique: Unique) -> None:
    name = unique("seen")
    words = ("request", "POST", "/v1/datasets", "-p", "clinic", "--json", f'{{"name": "{name}"}}', "--verbose")
    said = program(*words, "--session", "--seal").ok().said
    opened = re.search(r"^session (\S{32}) opened by x-wing: \d+ bytes there, \d+ back, [\d.]+ ms$", said, re.MULTILINE)
    assert opened is not None
    session = opened[1]
    assert f'keyid="{session}";alg="hmac-sha256"' in said
    sealed = f"is sealed by aes-256-gcm to {session}, "
    assert f"the request {sealed}{len(name) + 12} bytes in {len(name) + 40}, and bound to:" in said
    assert "  secure-api sealed request v1\n  POST\n" in said
    assert f"the answer {sealed}" in said
    assert "  secure-api sealed response v1\n  201\n" in said
    assert f"the answer is signed by {session}, over\n@status content-type content-digest @method;req " in said
    costs = dict(re.findall(r"^((?:signature|seal) of the \w+) +(\d+) +[\d.]+$", said, re.MULTILINE))
    assert list(costs) == [f"{what} of the {of}" for of in ("request", "answer") for what in ("signature", "seal")]


def test_verbose_without_a_session(program: Program) -> None:
    keyid = ProfileStore(program.config).get("clinic").read_server_key().keyid  # type: ignore[union-attr]
    said = program(*ME, "--verbose").ok().said
    assert f"the answer is signed by {keyid}, over" in said
    assert "seal" not in said
    assert re.search(r"^signature of the request +\d+ +[\d.]+$", said, re.MULTILINE)
    said = program(*ME, "--verbose", "--seal").ok().said
    assert re.search(r"the request is sealed by hpke-x-wing to \S{43}, 0 bytes in 2352, and bound to:", said)
    assert "the answer is sealed by hpke-x-wing to reply, " in said
    refused = program("request", "GET", "/v1/nothing", "-p", "clinic", "--verbose", "--session").said
    assert "HTTP 404" in refused


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ((), "signed by ed25519"),
        (("--seal",), "signed by ed25519, sealed"),
        (("--session",), "in a session"),
        (("--session", "--seal", "--suite", "ml-kem-768"), "in a session, sealed"),
    ],
)
def test_repetitions_are_summed_up(program: Program, words: tuple[str, ...], how: str) -> None:
    done = program(*ME, "--repeat", "5", *words).ok()
    assert done.json()["organization"] == "clinic"
    assert re.match(rf"5 requests {how}: [\d.]+ ms in the middle, [\d.]+ ms or less for 95 of 100$", done.lines[0])
    assert re.match(r"to protect one took [\d.]+ ms here and \d+ bytes$", done.lines[1])
    handshakes = [line for line in done.lines if line.startswith("the handshake by ")]
    assert (len(handshakes), len(done.lines)) == (int("--session" in words), 2 + int("--session" in words))


def test_the_first_failure_ends_repetitions(program: Program, unique: Unique) -> None:
    body = f'{{"name": "{unique("once")}"}}'
    words = ("request", "POST", "/v1/datasets", "-p", "clinic", "--json", body, "--repeat", "5", "--session")
    done = program(*words)
    assert (done.status, done.error.startswith("HTTP 409")) == (ExitCode.CLIENT_ERROR, True)
    assert done.said.startswith("2 requests in a session: ")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("-H", 'Content-Type: a"b', "--seal"), ExitCode.USAGE),  # refused here, after the handshake
        (("--output", "/nowhere/file"), ExitCode.FAILURE),
    ],
)
def test_an_error_leaves_no_session_open(program: Program, words: tuple[str, ...], status: ExitCode) -> None:
    before = program(*LIST).ok().json()
    assert program(*ME, "--session", *words).failed(status).out == ""
    assert program(*LIST).ok().json() == before


def test_ctrl_c_ends_the_session_and_sums_up_what_was_done(consortium: Consortium, program: Program) -> None:
    before = program(*LIST).ok().json()
    asked = consortium.serving.log().count('"/v1/clients/me"')
    words = (*ME, "--session", "--repeat", "1000000", "--output", "/dev/null")
    with program.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while consortium.serving.log().count('"/v1/clients/me"') < asked + 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert re.match(rb"\d+ requests in a session: [^\n]+\nto protect one took [^\n]+\nthe handshake by [^\n]+\n$", said)
    assert program(*LIST).ok().json() == before, "the session was ended"


def test_a_terminal_shows_how_far_it_is(program: Program) -> None:
    status, screen = program.on_terminal(*ME, "--repeat", "40", "--session", "--output", "/dev/null")
    assert status == 0, screen
    assert "sending" in screen
    assert "40 requests in a session: " in screen
    status, screen = program.on_terminal(*ME, "--repeat", "3", "--output", "/dev/null")
    assert (status, "sending" in screen) == (0, False), screen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--suite", "x-wing"), "--suite is for a session"),
        (("--session", "--suite", "x448"), "--suite"),
        (("--repeat", "0"), "--repeat"),
        (("--repeat", "some"), "--repeat"),
    ],
)
def test_what_makes_no_sense_is_not_sent(program: Program, words: tuple[str, ...], said: str) -> None:
    program(*ME, *words).failed(ExitCode.USAGE, said)


def test_a_profile_without_a_server_key_has_no_session(program: Program, tmp_path: Path) -> None:
    clinic = ProfileStore(program.config).get("clinic")
    ProfileStore(tmp_path).put(ClientProfile("bare", clinic.url, clinic.keys))
    for option in ("--session", "--seal"):
        words = ("request", "GET", "/v1/clients/me", "-p", "bare", "--config", tmp_path, option)
        program(*words).failed(ExitCode.KEY, "need the public key", "secure-api keys pin --profile bare")
    far = ("request", "GET", "https://far.invalid/", "-p", "clinic", "--any-host", "--session")
    program(*far).failed(ExitCode.KEY, "another server")


@pytest.mark.parametrize("words", [(), ("--seal",), ("--session",), ("--session", "--seal")])
def test_a_server_that_has_another_key_than_the_profile(
    program: Program, tmp_path: Path, words: tuple[str, ...]
) -> None:
    clinic, other = ProfileStore(program.config).get("clinic"), tmp_path / "other.pem"
    other.write_bytes(PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, bytes(32)).public_key.pem())
    ProfileStore(tmp_path).put(ClientProfile("s", clinic.url, clinic.keys, server_key=other))
    done = program("request", "GET", "/v1/clients/me", "-p", "s", "--config", tmp_path, *words)
    done.failed(ExitCode.REFUSED, "keys pin --server-keyid")
    assert done.out == ""


def test_a_server_that_leaves_in_the_middle(program: Program, tmp_path: Path) -> None:
    clinic = ProfileStore(program.config).get("clinic")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ProfileStore(tmp_path).put(ClientProfile("s", url, clinic.keys, server_key=clinic.server_key))
        words = ("request", "GET", "/x", "-p", "s", "--config", str(tmp_path), "--session")
        with program.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()
            assert connection.recv(17) == b"POST /v1/sessions"
            process.send_signal(signal.SIGINT)
            out, said = process.communicate()
            connection.close()
    assert (process.returncode, out, said) == (130, b"", b"")
