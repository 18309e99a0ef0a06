"""`secure-api serve`: uvicorn with our application."""

import errno
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Annotated, Literal

import typer

from crypto import write_secret_file
from secure_api.cli.console import put
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Home, PassphraseFile
from secure_api.client.profiles import SERVED_AT_FILE

EXAMPLES = """\
secure-api serve --home ./consortium
secure-api serve --home /srv/secure-api --host 0.0.0.0 --port 8000 --workers 2 --log-format json
secure-api serve --home ./consortium --port 0   # a free port; the line on stdout names it"""
NOT_STARTED = ("the server did not start", ExitCode.FAILURE, "its log, above, says why")
HINTS = {
    errno.EADDRINUSE: "try another --port",
    errno.EADDRNOTAVAIL: "0.0.0.0 listens on every address of this machine, 127.0.0.1 for this machine alone",
    errno.EACCES: "ports below 1024 are the system's: try another --port",
}
BACKLOG = 2048  # connections that wait to be accepted


def serve(
    home: Home = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, max=64, help="Processes.")] = 1,
    log_format: Annotated[
        Literal["json", "console"] | None, typer.Option("--log-format", help="Form of a log line.")
    ] = None,
    access_log: Annotated[
        bool | None, typer.Option("--access-log/--no-access-log", help="One log line a request.")
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C; what was accepted is finished.

    One line on stdout says where, logs go to stderr. Everything else is set by SECURE_API_* variables.
    """
    import asyncio

    import structlog
    import uvicorn

    from crypto.providers import oqs_library
    from secure_api import logs
    from secure_api.cli.nonce_place import inspect_nonces
    from secure_api.cli.server_settings import load_settings
    from secure_api.cli.stored_secrets import require_readable
    from secure_api.data.database import Database
    from secure_api.data.migrations import check_schema

    os.umask(0o077)  # what the workers create, the database's own files among it, is the operator's alone
    for name, value in (("LOG_FORMAT", log_format), ("ACCESS_LOG", access_log), ("HOME", home)):
        if value is not None:
            os.environ[f"SECURE_API_{name}"] = str(value)  # the workers read their settings from there
    settings = load_settings(None, passphrase_file)
    logs.configure(settings.log_level, settings.log_format)
    # Say what is wrong here, in one line, before workers are started that would each say it with a traceback.
    provider = settings.select_provider()
    if settings.crypto_provider == "auto" and (obstacle := oqs_library.obstacle()) is not None:
        log = structlog.get_logger("secure_api.serve")
        log.warning("liboqs is there and cannot be used", provider=provider, reason=obstacle)
    settings.server_key()
    if settings.nonce_store == "memory" and workers > 1:
        raise CliError(
            "nonces in memory are for one worker: another one would let replays through",
            ExitCode.USAGE,
            "set SECURE_API_NONCE_STORE to auto, database or redis",
        )
    database = Database(settings.url)

    async def check() -> None:
        try:
            await check_schema(database)
            await inspect_nonces(settings)
            await require_readable(settings)
        finally:
            await database.close()

    asyncio.run(check())
    listener = _listen(host, port)
    config = uvicorn.Config(
        "secure_api.app:from_environment",
        factory=True,
        workers=workers,
        http=_http_protocol(),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_timeout,
        h11_max_incomplete_event_size=settings.max_header_bytes * 2,
    )
    server = uvicorn.Server(config)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    if workers == 1:
        # uvicorn handles SIGTERM while it runs, and raises it once more when it is done, for who handled it before.
        # Until it runs, a handler that raises could be swallowed by whatever code it interrupts: set a flag instead.
        signal.signal(signal.SIGTERM, stop)
    with _shared_metrics(workers), listener:
        # The admin's profile follows its server from port to port.
        write_secret_file(
            settings.home / SERVED_AT_FILE, f"http://{_authority(listener, reachable=True)}\n".encode(), force=True
        )
        put(f"secure-api serves on http://{_authority(listener)} ({workers} worker{'s' if workers > 1 else ''})")
        sys.stdout.flush()
        if workers == 1:
            with suppress(SystemExit):  # uvicorn has an exit status of its own for a start that failed
                server.run(sockets=[listener])
            if not server.started:
                raise CliError(*NOT_STARTED)
        else:
            from secure_api.cli.workers import Workers

            supervisor = Workers(config, sockets=[listener])
            supervisor.run()
            if supervisor.status is ExitCode.FAILURE:
                raise CliError(*NOT_STARTED)
            if supervisor.status is not ExitCode.OK:
                raise typer.Exit(supervisor.status)


def _http_protocol() -> str:
    try:
        import httptools
    except ImportError:
        return "h11"
    del httptools
    return "secure_api.api.http_protocol:HttpProtocol"


def _listen(host: str, port: int) -> socket.socket:
    """Take the address, and connections from now on: they wait until the server is ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CliError(f"cannot listen on {host}: {error.strerror}") from error
    except UnicodeError as error:
        raise CliError(f"cannot listen on {host}: that is not a host name") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        said = "no address of this machine" if error.errno == errno.EADDRNOTAVAIL else error.strerror
        raise CliError(f"cannot listen on {where}: {said}", hint=HINTS.get(error.errno or 0)) from error
    listener.set_inheritable(True)
    return listener


def _authority(listener: socket.socket, *, reachable: bool = False) -> str:
    """Give the address listened on; `reachable` puts this machine's own in the place of the one that means all."""
    address = listener.getsockname()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    if reachable:
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"{host}:{address[1]}"


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """Give several workers a folder in which their metrics are added up."""
    if workers == 1 or "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(prefix="secure-api-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
