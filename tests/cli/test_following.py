"""The admin's profile finds its server, wherever that one serves."""

from __future__ import annotations

from secure_api.client import ProfileStore
from secure_api.client.profiles import SERVED_AT_FILE, served_at
from tests.cli.program import Program
from tests.cli.serving import aim, serving


def test_the_admin_follows_the_server_from_port_to_port(program: Program) -> None:
    program.spawn("init", "--no-passphrase").ok()
    store = ProfileStore(program.config)
    urls = set()
    for name in ("first", "second"):
        with serving(program) as server:
            aim(program, "http://127.0.0.1:1")  # what the file says is not what counts
            assert store.get("admin").url == server.url
            program("organizations", "create", name, "--profile", "admin").ok()
            urls.add(server.url)
    assert len(urls) == 2
    assert (program.home / SERVED_AT_FILE).stat().st_mode & 0o077 == 0


def test_a_url_that_was_given_stays(program: Program) -> None:
    program.spawn("init", "--no-passphrase", "--url", "https://api.example.org").ok()
    (program.home / SERVED_AT_FILE).write_text("http://127.0.0.1:1\n")
    assert ProfileStore(program.config).get("admin").url == "https://api.example.org"


def test_what_is_no_url_is_not_followed(program: Program) -> None:
    program.home.mkdir()
    file = program.home / SERVED_AT_FILE
    assert served_at(program.home) is None
    for content in (b"", b"file:///etc/passwd", b"\xff\xfe", b"javascript:alert(1)"):
        file.write_bytes(content)
        assert served_at(program.home) is None
    file.write_bytes(b"http://127.0.0.1:8123\n")
    assert served_at(program.home) == "http://127.0.0.1:8123"
