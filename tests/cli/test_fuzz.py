"""Whatever stands in a file or comes by stdin: one line and a status, never a traceback, never a hang."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_api.client import ClientProfile, ProfileStore
from tests.cli.program import Outcome, Program

FILE_COMMANDS: dict[str, Callable[[Path], tuple[str | Path, ...]]] = {
    "keys show": lambda path: ("keys", "show", path),
    "verify the message": lambda path: ("verify", "--key", path.with_name("public.pem"), path),
    "verify with the key": lambda path: ("verify", "--key", path, path.with_name("message")),
    "sign with the key": lambda path: ("sign", "GET", "https://api.example/", "--key", path),
    "sign the body": lambda path: (
        "sign",
        "PUT",
        "https://api.example/",
        "--key",
        path.with_name("key.pem"),
        "-j",
        f"@{path}",
    ),
    "take the passphrase": lambda path: (
        "keys",
        "generate",
        "--out",
        path.with_name("new.pem"),
        "--passphrase-file",
        path,
    ),
    "request as a profile": lambda path: ("request", "GET", "/", "-p", "fuzz", "--config", path.parent),
    "list a profile's keys": lambda path: ("keys", "list", "-p", "fuzz", "--config", path.parent),
    "doctor": lambda path: ("doctor", "--config", path.parent),
}
STATUSES = {0, 1, 2, 6, 7}
FAST = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# What a command line can hold; what is echoed of it stays one line.
WORD = st.text(st.characters(exclude_characters="\0\n\u2028\u2029", codec="utf-8"), max_size=20)
_PEM = b"-----BEGIN PRIVATE KEY-----\n%b\n-----END PRIVATE KEY-----\n"
_TOML = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "[fuzz]\nurl = %s\nkeys = ['k']",
            "[fuzz]\nurl = 'http://127.0.0.1:1'\nkeys = [%s]",
            "[fuzz]\nurl = 'http://127.0.0.1:1'\nkeys = ['key.pem']\npassphrase_file = %s",
        ]
    ).flatmap(lambda form: st.text(max_size=12).map(lambda text: form % ('"' + text + '"'))),
)


def _leave_out(_path: Path) -> None:
    """Put nothing in the file's place."""


def _write(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)
        path.chmod(0o600)

    return write


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _write_sparse(path: Path) -> None:
    """A file of more bytes than anything here may have."""
    _write(b"")(path)
    os.truncate(path, (64 << 20) + 1)


OBSTACLES: tuple[Callable[[Path], None], ...] = (
    _leave_out,
    Path.mkdir,
    lambda path: path.symlink_to(path),
    _link("/dev/null"),
    _link("/proc/self/mem"),
    _write(b""),
    _write(b"x" * 100_000),
    _write_sparse,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, template: Program) -> Path:
    """A folder with an honest key, its public half and an honest message."""
    folder = tmp_path_factory.mktemp("fuzz")
    template("keys", "generate", "-a", "ed25519", "-o", folder / "key.pem", "--no-passphrase").ok()
    (folder / "public.pem").write_bytes(template("keys", "show", folder / "key.pem", "--public-pem").stdout)
    words = ("sign", "GET", "https://api.example/", "--key", folder / "key.pem", "--http")
    (folder / "message").write_bytes(template(*words).stdout)
    return folder


def check(program: Program, words: tuple[str | Path, ...], stdin: bytes = b"") -> Outcome:
    """Run a command on nonsense."""
    done = program(*words, stdin=stdin)
    assert done.status in STATUSES, (words, done)
    if done.status not in {0, 1}:
        done.failed(done.status)
    return done


@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_nonsense_in_a_file(program: Program, folder: Path, command: str) -> None:
    @FAST
    @given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda body: _PEM % body))
    def write_and_run(content: bytes) -> None:
        for name in ("nonsense", "profiles.toml"):
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        check(program, FILE_COMMANDS[command](folder / "nonsense"))
        (folder / "new.pem").unlink(missing_ok=True)

    write_and_run()


@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_what_is_no_file(program: Program, tmp_path: Path, folder: Path, command: str) -> None:
    for name in ("key.pem", "public.pem", "message"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
        (tmp_path / name).chmod(0o600)
    path = tmp_path / "nonsense"
    for obstacle in OBSTACLES:
        for place in (path, tmp_path / "profiles.toml"):
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            place.unlink(missing_ok=True)
            obstacle(place)
        check(program, FILE_COMMANDS[command](path))
        (tmp_path / "new.pem").unlink(missing_ok=True)


@FAST
@given(text=_TOML)
def test_nonsense_in_the_profiles(program: Program, folder: Path, text: str) -> None:
    (folder / "profiles.toml").write_bytes(text.encode(errors="surrogatepass"))
    for command in ("request as a profile", "list a profile's keys", "doctor"):
        check(program, FILE_COMMANDS[command](folder / "nonsense"))


@FAST
@given(name=WORD, url=WORD, path=WORD)
def test_whatever_is_put_is_got_or_refused(program: Program, folder: Path, name: str, url: str, path: str) -> None:
    (folder / "profiles.toml").unlink(missing_ok=True)
    config = ("--config", folder)
    check(program, ("enroll", "--url", url, "--key", path, "--profile", name, "--token", "sat_x", *config))
    put = ClientProfile(name, url, (Path("/", path),))
    ProfileStore(folder).put(put)
    assert ProfileStore(folder).load() == {name: put}


@FAST
@given(target=WORD, method=WORD, field=WORD, body=st.binary(max_size=40))
def test_nonsense_on_the_command_line(
    program: Program, folder: Path, target: str, method: str, field: str, body: bytes
) -> None:
    ProfileStore(folder).put(ClientProfile("away", "http://127.0.0.1:1", (folder / "key.pem",)))
    words = ("-p", "away", "--config", folder, "-H", field, "-j", "-", "--", method, target)
    check(program, ("request", *words), stdin=body)
    check(program, ("sign", *words[:4], "--http", "-j", "-", "--", method, target), stdin=body)
    check(program, ("keys", "revoke", "-p", "away", "--config", folder, "--", target))
    check(program, ("organizations", "create", "-p", "away", "--config", folder, "--", target))


@FAST
@given(message=st.binary(max_size=300))
def test_nonsense_to_verify(program: Program, folder: Path, message: bytes) -> None:
    honest = (folder / "message").read_bytes()
    key = folder / "public.pem"
    for text in (message, b"GET / HTTP/1.1\r\n" + message, honest.replace(b"sig1=:", message, 1), honest + message):
        check(program, ("verify", "--key", key, "-"), stdin=text)
    moment = message.decode(errors="ignore").replace("\0", "")
    check(program, ("verify", "--key", key, "--at", moment, "--", folder / "message"))


def test_names_of_files_that_are_not_utf_8(program: Program, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff.pem"
    commands: list[list[str | Path | bytes]] = [
        ["keys", "show", odd],
        ["init", "--home", odd],
        ["request", "GET", "/", "-p", odd],
    ]
    for words in commands:
        done = program.spawn(*words)
        assert done.status in {2, 7}, done
        done.failed(done.status)
