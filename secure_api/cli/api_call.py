"""One signed request to the API, and what an unhappy answer means for the exit status."""

import json
from pathlib import Path
from typing import Any

import httpx

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_profile
from secure_api.client import Problem, SignatureAuth

TIMEOUT = 30.0  # seconds


def call(profile_name: str, config: Path | None, method: str, path: str, body: Any = None) -> Any:
    """Sign and send a request as a profile; returns the response's JSON, None for an empty one.

    Raises:
        CliError: the server is not reachable or does not answer 2xx.
    """
    profile, keys = read_profile(profile_name, config)
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    response = send(profile.url, method, path, content, SignatureAuth(*keys))
    check(response)
    return response.json() if response.content else None


def send(
    url: str,
    method: str,
    path: str,
    content: bytes,
    auth: httpx.Auth,
    headers: list[tuple[str, str]] | None = None,
    *,
    timeout: float = TIMEOUT,
) -> httpx.Response:
    """Send one request and read the whole response.

    Raises:
        CliError: the URL makes no sense, or the server is not reachable.
    """
    fields = httpx.Headers(headers or [])
    fields.setdefault("Content-Type", "application/json")
    try:
        with httpx.Client(auth=auth, timeout=timeout) as client:
            return client.request(method, join(url, path), content=content, headers=fields)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise CliError(f"{url}: {error}", ExitCode.USAGE) from error
    except httpx.TransportError as error:
        raise CliError(
            f"no answer from {url}: {str(error) or type(error).__name__}",
            ExitCode.UNREACHABLE,
            "is the server running?",
        ) from error


def join(url: str, path: str) -> str:
    """Put a path behind a server's URL; a whole URL stands for itself."""
    return path if "://" in path else url.rstrip("/") + "/" + path.lstrip("/")


def check(response: httpx.Response) -> None:
    """Turn an answer other than 2xx into an error.

    Raises:
        CliError: with the problem's lines as its message.
    """
    if response.is_success:
        return
    problem = Problem.parse(response.headers.get("content-type", ""), response.content)
    lines = [f"{response.status_code} {response.reason_phrase}"] if problem is None else problem.lines()
    raise CliError("\n".join(lines), code_of(response), _hint(response, problem))


def code_of(response: httpx.Response) -> ExitCode:
    """Give the exit status of an answer."""
    if response.is_success:
        return ExitCode.OK
    return ExitCode.SERVER_ERROR if response.is_server_error else ExitCode.CLIENT_ERROR


def _hint(response: httpx.Response, problem: Problem | None) -> str | None:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        request_id = response.headers.get("x-request-id", "?")
        return f"the server's log knows the reason: request {request_id}; is the clock right, the key still active?"
    if problem is not None and response.is_server_error and problem.instance:
        return f"the server's log knows more: {problem.instance}"
    return None
