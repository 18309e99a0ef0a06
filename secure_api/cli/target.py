"""Where a request goes: a profile's server, and nowhere else unless the person says so."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from secure_api.cli.console import warn
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORTS: Final = {"http": 80, "https": 443}


def server_url(text: str) -> str:
    """Read the URL of a server; returns it without a slash at its end.

    Raises:
        CliError: it is no http or https URL, or has a user, a query or a fragment.
    """
    parts = _split(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise CliError(f"{text} has a query or a fragment", ExitCode.USAGE, "give the server's URL alone")
    return text.rstrip("/")


def join(url: str, path: str) -> str:
    """Put a path behind a server's URL; a whole URL stands for itself."""
    return path if _ABSOLUTE.match(path) else url.rstrip("/") + "/" + path.lstrip("/")


def target(url: str, path: str, *, any_host: bool = False) -> str:
    """Give the URL of a request to a profile's server.

    A signature is worth something to whoever gets it, so another server than the profile's is refused.

    Raises:
        CliError: the target makes no sense, or is another server and `any_host` is false.
    """
    whole = join(url, path)
    if not same_server(whole, url) and not any_host:
        raise CliError(
            f"{path} is not on the profile's server {url}", ExitCode.USAGE, "say --any-host to sign for it anyway"
        )
    return whole


def same_server(one: str, other: str) -> bool:
    """Tell whether two URLs are on one server: scheme, host and port.

    Raises:
        CliError: one of them makes no sense.
    """
    return _server(_split(one)) == _server(_split(other))


def warn_in_clear(url: str) -> None:
    """Warn when requests to a URL travel unencrypted over a network."""
    parts = _split(url)
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        warn(f"{parts.netloc} is reached without TLS: anybody on the way can read what is not sealed")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise CliError(f"{text} is not a URL: {error}", ExitCode.USAGE) from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise CliError(f"{text} is not an http or https URL", ExitCode.USAGE, "write https://api.example.org")
    if parts.username is not None:
        raise CliError(f"{text} names a user", ExitCode.USAGE, "a signature says who you are: leave the user out")
    return parts


def _server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
