"""Where a request goes: to the profile's server, and nowhere else unasked."""

from __future__ import annotations

import pytest

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.target import join, server_url, target, warn_in_clear


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("/v1/x", "https://api.example/v1/x"),
        ("v1/x", "https://api.example/v1/x"),
        ("/v1/x?next=http://other.example/", "https://api.example/v1/x?next=http://other.example/"),
        ("//other.example/x", "https://api.example/other.example/x"),
        ("https://api.example/v1/x", "https://api.example/v1/x"),
        ("https://API.example:443/v1/x", "https://API.example:443/v1/x"),
    ],
)
def test_targets_on_the_profiles_server(path: str, whole: str) -> None:
    assert target("https://api.example", path) == whole


def test_a_server_below_a_path() -> None:
    assert join("https://api.example/consortium/", "/v1/x") == "https://api.example/consortium/v1/x"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://other.example/",
        "http://api.example/",
        "https://api.example:8443/",
        "https://api.example.other.example/",
        "HTTPS://other.example/",
    ],
)
def test_other_servers_are_refused_unasked(elsewhere: str) -> None:
    with pytest.raises(CliError, match="is not on the profile's server") as caught:
        target("https://api.example", elsewhere)
    assert (caught.value.code, caught.value.hint) == (ExitCode.USAGE, "say --any-host to sign for it anyway")
    assert target("https://api.example", elsewhere, any_host=True) == elsewhere


@pytest.mark.parametrize(
    "url",
    ["", "api.example", "ftp://api.example", "http://", "http:///x", "http://[::1", "http://h:99999", "http://h:0"],
)
def test_what_is_no_server(url: str) -> None:
    with pytest.raises(CliError, match="is not a") as caught:
        server_url(url)
    assert caught.value.code is ExitCode.USAGE


@pytest.mark.parametrize("url", ["https://api.example/?x", "https://api.example/#x", "https://api.example?"])
def test_a_server_has_no_query(url: str) -> None:
    with pytest.raises(CliError, match="query or a fragment"):
        server_url(url)


def test_a_server_has_no_user() -> None:
    with pytest.raises(CliError, match="names a user"):
        server_url("https://ada:secret@api.example")
    with pytest.raises(CliError, match="names a user"):
        target("https://api.example", "https://ada@api.example/")


def test_slashes_at_the_end_do_not_matter() -> None:
    assert server_url("https://api.example/consortium//") == "https://api.example/consortium"


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://api.example/", True),
        ("http://10.0.0.1:8000/", True),
        ("http://[fe80::1%25eth0]/", True),
        ("http://localhost.example/", True),
        ("https://api.example/", False),
        ("http://127.0.0.1:8000/", False),
        ("http://127.1.2.3/", False),
        ("http://[::1]:8000/", False),
        ("http://localhost:8000/", False),
        ("http://api.localhost/", False),
    ],
)
def test_clear_text_over_a_network_is_warned_of(capsys: pytest.CaptureFixture[str], url: str, warned: bool) -> None:
    warn_in_clear(url)
    assert capsys.readouterr().err.startswith("warning: ") is warned
