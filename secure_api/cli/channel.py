"""A connection for one or many requests; whatever goes wrong on it is one line with an exit status."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import httpx

from secure_api import __version__
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.target import warn_in_clear
from secure_api.client import ResponseRefused, SealingKeyRefused, ServerUnusable, Session

TIMEOUT: Final = 30.0  # seconds
END_TIMEOUT: Final = 3.0  # seconds to wait for the end of a session, which ends by itself otherwise
_ANOTHER_KEY: Final = (
    "if the server has a new key, its operator knows the keyid: secure-api keys pin --server-keyid KEYID"
)


class Channel:
    """Sends requests to one server, all as `auth`; redirects are not followed. `timeout` in seconds.

    Raises:
        CliError: the environment names a proxy that makes no sense.
    """

    def __init__(self, url: str, auth: httpx.Auth, *, timeout: float = TIMEOUT) -> None:
        warn_in_clear(url)
        self._url = url
        with _explained(url):
            self._client = httpx.Client(auth=auth, timeout=timeout)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, method: str, url: str, content: bytes, headers: Sequence[tuple[str, str]] = ()) -> httpx.Response:
        """Send one request and read the whole answer.

        Raises:
            CliError: the request makes no sense, there is no usable answer, or it is not the server's own.
        """
        fields = httpx.Headers(list(headers))
        fields.setdefault("Content-Type", "application/json")
        fields.setdefault("User-Agent", f"secure-api/{__version__}")
        with _explained(f"{method} {url}", url):
            return self._client.request(method, url, content=content, headers=fields)

    def end(self, session: Session) -> None:
        """End a session on the server; the channel is not patient from then on.

        Raises:
            CliError: it could not be told.
        """
        self._client.timeout = httpx.Timeout(END_TIMEOUT)
        with _explained(self._url):
            session.end(self._client)


@contextmanager
def _explained(what: str, url: str | None = None) -> Iterator[None]:
    url = url or what
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise CliError(f"{what}: {error}", ExitCode.USAGE) from error
    except httpx.TimeoutException as error:
        raise CliError(f"no answer from {url} in time", ExitCode.UNREACHABLE, "try a longer --timeout") from error
    except httpx.RequestError as error:
        said = str(error) or type(error).__name__
        raise CliError(f"no answer from {url}: {said}", ExitCode.UNREACHABLE, "is the server running?") from error
    except ResponseRefused as error:
        hint = f"nothing of it was believed, but the request may have been carried out; {_ANOTHER_KEY}"
        raise CliError(str(error), ExitCode.REFUSED, hint) from error
    except SealingKeyRefused as error:
        raise CliError(str(error), ExitCode.REFUSED, f"nothing was sent; {_ANOTHER_KEY}") from error
    except ServerUnusable as error:
        raise CliError(str(error), ExitCode.of_status(error.status)) from error
    except ValueError as error:  # a proxy of the environment that httpx cannot use
        raise CliError(f"{what}: {error}") from error
