"""A raw HTTP/1.1 request message, as `sign --http` prints it or as it was caught on the way."""

from typing import Final

import h11

from crypto import Request
from secure_api.cli.console import warn
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

MAX_HEAD_BYTES: Final = 256 << 10
MAX_BYTES: Final = 64 << 20


def read_message(message: bytes, scheme: str) -> tuple[Request, bytes]:
    """Read one request message; returns its signable parts and its body.

    `scheme` is that of the client's URL: it decides which port is the default one.

    Raises:
        CliError: it is no request message, is not complete, or something follows it.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
    request: h11.Request | None = None
    body = bytearray()
    try:
        connection.receive_data(message)
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                raise CliError("the request message is not complete", ExitCode.USAGE)
    except h11.RemoteProtocolError as error:
        # What h11 repeats of the message, as bytes or a bytearray, is anybody's, and of any length.
        said = str(error).partition(": b")[0]
        raise CliError(f"that is not an HTTP/1.1 request message: {said}", ExitCode.USAGE) from error
    trailing = connection.trailing_data[0]
    if trailing.strip():
        raise CliError(
            f"{len(trailing)} bytes follow the request message", ExitCode.USAGE, "is its content-length right?"
        )
    if trailing:
        warn(f"{len(trailing)} bytes of blank space follow the request message: no signature covers them")
    if request is None or not request.target.startswith(b"/"):
        raise CliError("the request's target is not a path", ExitCode.USAGE)
    path, _, query = request.target.decode("ascii").partition("?")
    hosts = [value for name, value in request.headers if name == b"host"]
    return (
        Request(
            method=request.method.decode("ascii"),
            scheme=scheme,
            authority=hosts[0].decode("latin-1") if hosts else "",
            path=path,
            query=query,
            headers=tuple(request.headers),
        ),
        bytes(body),
    )
