"""One signed request to the API, and what an unhappy answer means for the exit status."""

import json
import shlex
from pathlib import Path
from typing import Any

import httpx

from crypto import PublicKey
from secure_api.cli.answer import Answer
from secure_api.cli.channel import Channel
from secure_api.cli.console import warn
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.keyring import read_profile
from secure_api.cli.target import target
from secure_api.client import ClientProfile, Problem, SignatureAuth


def call(profile_name: str, config: Path | None, method: str, path: str, body: Any = None) -> Answer:
    """Sign and send a request as a profile; returns the answer's JSON, empty for an empty one.

    Raises:
        CliError: the server is not reachable, or does not answer 2xx.
    """
    profile, keys = read_profile(profile_name, config)
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    auth = SignatureAuth(*keys, server_key=server_key_of(profile))
    return expect(send(method, target(profile.url, path), content, auth))


def server_key_of(profile: ClientProfile) -> PublicKey | None:
    """Give the key that the answers to a profile are held to; warn when it names none.

    Raises:
        ClientError: its file cannot be used.
    """
    key = profile.read_server_key()
    if key is None:
        add = shlex.join(["secure-api", "keys", "pin", "--profile", profile.name])
        warn(f"profile {profile.name} knows no key of its server, so no answer is verified; to add it: {add}")
    return key


def send(method: str, url: str, content: bytes, auth: httpx.Auth) -> httpx.Response:
    """Send one request and read the whole answer; redirects are not followed.

    Raises:
        CliError: the request makes no sense, there is no usable answer, or it is not the server's own.
    """
    with Channel(url, auth) as channel:
        return channel.send(method, url, content)


def expect(response: httpx.Response) -> Answer:
    """Read an answer that must be a success.

    Raises:
        CliError: it is not; the problem's lines are its message.
    """
    if not response.is_success:
        raise CliError("\n".join(complaint(response)), code_of(response), hint_for(response))
    return Answer.parse(response.content) if response.content else Answer()


def complaint(response: httpx.Response) -> list[str]:
    """Say what an answer complains of: its status and, when it holds a problem, that problem."""
    problem = Problem.parse(response.headers.get("content-type", ""), response.content)
    if problem is not None:
        first, *more = problem.lines()
        return [f"HTTP {response.status_code} {first}", *more]
    status = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
    return [f"{status}, to {response.headers['location']}" if response.has_redirect_location else status]


def code_of(response: httpx.Response) -> ExitCode:
    """Give the exit status of an answer: a redirect is not followed, so it is a failure."""
    return ExitCode.OK if response.is_success else ExitCode.of_status(response.status_code)


def hint_for(response: httpx.Response) -> str | None:
    """Tell what may help with an answer that is not a success."""
    request_id = response.headers.get("x-request-id", "unknown")
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return f"only the server's log knows why (request {request_id}); is this clock right, the key still active?"
    if response.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
        return f"the server's log knows more (request {request_id})"
    if response.is_redirect:
        return "redirects are not followed: a signature is for one server and one path"
    return None
