"""What a server says of its own key, and what it does when it has another one, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crypto import PrivateKey, PublicKey, SignatureAlgorithm
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ClientProfile, ProfileStore
from tests.cli.program import Program
from tests.unit.secure_api.cli.conftest import DISCOVERY, SERVER_KEY, UNPINNED
from tests.unit.secure_api.cli.odd_server import OddServer

OTHER = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(1, 33))).public_key


def names(odd: OddServer, *keys: PublicKey, **more: object) -> None:
    """Let the server name these keys."""
    odd.routes[DISCOVERY] = 200, json.dumps({"keys": [key.jwk() for key in keys], **more}).encode()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "is no JSON object"),
        (b"[]", "is no JSON object"),
        (b"{}", "names no signing key"),
        (b'{"keys": []}', "names no signing key"),
        (b'{"keys": {"kty": "OKP"}}', "names no signing key"),
        (b'{"keys": [{}]}', "makes no sense"),
        (b'{"keys": [7]}', "makes no sense"),
        (b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}', "makes no sense"),
        (b'{"keys": "' + b"x" * (1 << 18) + b'"}', "too large"),
    ],
)
def test_a_server_that_names_no_key(program: Program, odd: OddServer, document: bytes, words: str) -> None:
    odd.routes[DISCOVERY] = 200, document
    done = program("keys", "pin", "-p", "p").failed(ExitCode.FAILURE, words, "a secure-api server's?")
    assert done.error.startswith(odd.url)
    assert ProfileStore(program.config).get("p").server_key is None


@pytest.mark.parametrize(("status", "code"), [(404, 4), (503, 5), (301, 1)])
def test_a_server_without_a_discovery_document(program: Program, odd: OddServer, status: int, code: int) -> None:
    odd.routes[DISCOVERY] = status, b""
    odd.fields["Location"] = "https://elsewhere.example/"
    program("keys", "pin", "-p", "p").failed(code, f"no discovery document: HTTP {status}")


def test_pinning_writes_the_key_into_the_profile(program: Program, odd: OddServer) -> None:
    names(odd, SERVER_KEY, OTHER)
    done = program("keys", "pin", "-p", "p").ok()
    assert (done.out, SERVER_KEY.keyid in done.said, odd.url in done.said) == (f"{SERVER_KEY.keyid}\n", True, True)
    assert ProfileStore(program.config).get("p").read_server_key() == SERVER_KEY
    exact = program("keys", "pin", "-p", "p", f"--server-keyid={OTHER.keyid}", "--json").ok()
    assert exact.said == ""
    file = Path(exact.json()["file"])
    assert file.parent == program.config.resolve() / "keys"
    assert (exact.json()["keyid"], PublicKey.from_pem(file.read_bytes())) == (OTHER.keyid, OTHER)
    assert ProfileStore(program.config).get("p").read_server_key() == OTHER


def test_another_key_than_the_one_that_is_demanded_gets_no_token(
    program: Program, odd: OddServer, key_file: Path
) -> None:
    names(odd, SERVER_KEY)
    words = ("--url", odd.url, "--key", key_file, "--profile", "new", f"--server-keyid={OTHER.keyid}")
    for command in (("enroll", "--token", "sat_x"), ("enroll", "--existing")):
        done = program(*command, *words).failed(ExitCode.REFUSED, SERVER_KEY.keyid, OTHER.keyid)
        assert "nothing was sent to it" in done.said
    program("keys", "pin", "-p", "p", f"--server-keyid={OTHER.keyid}").failed(ExitCode.REFUSED, OTHER.keyid)
    assert {(method, path) for method, path, *_ in odd.received} == {DISCOVERY}
    assert list(ProfileStore(program.config).load()) == ["p"]
    assert not (program.config / "keys").exists()


def test_an_enrollment_whose_answer_is_not_the_servers_leaves_nothing(
    program: Program, odd: OddServer, key_file: Path
) -> None:
    names(odd, SERVER_KEY)
    odd.status, odd.body = 201, b'{"organization": "clinic", "role": "analyst"}'
    words = ("enroll", "--url", odd.url, "--key", key_file, "--profile", "new")
    done = program(*words, "--token", "sat_x").failed(ExitCode.REFUSED, "is not the server's", "--existing")
    assert SERVER_KEY.keyid not in done.out
    program(*words, "--existing").failed(ExitCode.REFUSED, "is not the server's")
    assert list(ProfileStore(program.config).load()) == ["p"]
    assert not (program.config / "keys").exists()


def test_no_token_travels_where_sealing_was_wanted_and_cannot_be(
    program: Program, odd: OddServer, key_file: Path
) -> None:
    words = ("enroll", "--url", odd.url, "--key", key_file, "--profile", "new", "--token", "sat_x")
    names(odd, SERVER_KEY)
    program(*words, "--seal").failed(ExitCode.FAILURE, "no sealing key")
    names(odd, SERVER_KEY, sealing={"keys": [{"alg": "hpke-x-wing"}]})
    program(*words).failed(ExitCode.FAILURE, "no sealing key that its signing key vouches for")
    assert {(method, path) for method, path, *_ in odd.received} == {DISCOVERY}
    program(*words, "--no-seal").failed(ExitCode.REFUSED)


def test_answers_to_a_pinned_profile_must_be_the_servers(program: Program, odd: OddServer) -> None:
    names(odd, SERVER_KEY)
    program("keys", "pin", "-p", "p").ok()
    odd.body = b'{"organizations": []}'
    for words in (("organizations", "list"), ("request", "GET", "/v1/organizations"), ("clients", "list")):
        done = program(*words, "-p", "p").failed(ExitCode.REFUSED, "is not the server's", "nothing of it was believed")
        assert done.out == ""
    odd.status = 401
    assert "warning" not in program("organizations", "list", "-p", "p").failed(ExitCode.CLIENT_ERROR).said


def test_another_host_is_not_held_to_the_profiles_key(program: Program, odd: OddServer, key_file: Path) -> None:
    file = program.config / "server.pem"
    ProfileStore(program.config).put(ClientProfile("far", "https://far.invalid", (key_file,), server_key=file))
    file.write_bytes(SERVER_KEY.pem())
    assert program("request", "GET", f"{odd.url}/x", "-p", "far", "--any-host").ok().said == ""


@pytest.mark.parametrize(
    "content", [None, b"", b"nonsense", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]
)
def test_a_server_key_that_cannot_be_read_is_named(program: Program, odd: OddServer, content: bytes | None) -> None:
    file = program.config / "server.pem"
    if content is not None:
        file.write_bytes(content)
    profiles = program.config / "profiles.toml"
    profiles.write_text(profiles.read_text() + 'server_key = "server.pem"\n')
    program("organizations", "list", "-p", "p").failed(ExitCode.KEY, str(file))
    assert odd.received == []
    file.unlink(missing_ok=True)
    file.write_bytes(SERVER_KEY.pem())
    odd.status = 404
    program("organizations", "list", "-p", "p").failed(ExitCode.REFUSED)


def test_the_warning_says_how_to_add_a_key(program: Program, odd: OddServer) -> None:
    odd.body = b'{"organizations": []}'
    assert program("organizations", "list", "-p", "p").ok().said == UNPINNED
    names(odd, SERVER_KEY)
    program(*UNPINNED.partition("secure-api ")[2].split()).ok()
    assert ProfileStore(program.config).get("p").server_key is not None
