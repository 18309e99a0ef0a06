"""Connecting all parties: plain preambles, then TLS that binds each connection to a pinned certificate and an index.

A party listens for those of lower indices and dials those of higher ones. Who does not show the certificate that is
pinned for an index is not connected, and the study's parties go on waiting for the true one until the connect deadline;
the reason of the abort then says what was seen.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from crypto.errors import KeyFileError, MpcAborted, MpcFormatError
from crypto.mpc.abort import AbortReason
from crypto.mpc.certificates import certificate_der, pin_of, tls_context
from crypto.mpc.preamble import Answer, Preamble

if TYPE_CHECKING:
    from crypto.mpc.job import Job
    from crypto.mpc.link import Link

RETRY_SECONDS: Final = 0.1
HANDSHAKE_SECONDS: Final = 10.0
MAX_HANDLERS: Final = 64  # connections that have not proved who they are
_SEEN: Final = {
    Answer.OTHER_SESSION: AbortReason.OTHER_SESSION,
    Answer.WRONG_CERTIFICATE: AbortReason.WRONG_CERTIFICATE,
}


class Connecting:
    """Makes the links of one session; `make_link` gives an empty one for an index."""

    def __init__(self, job: Job, make_link: Callable[[int], Link]) -> None:
        self.links: dict[int, Link] = {}
        self._job = job
        self._make_link = make_link
        self._session = job.session.id
        self._files = Path(job.key_file), Path(job.certificate_file)
        self._own = _read(self._files[1])
        self._seen: dict[int, tuple[AbortReason, int, str]] = {}
        self._complete = asyncio.Event()
        self._writers: list[StreamWriter] = []  # a writer that is collected closes its connection
        self._handlers: set[asyncio.Task[None]] = set()

    async def all(self) -> dict[int, Link]:
        """Return a link to each other party. Raises MpcAborted at the connect deadline, with what was seen."""
        job = self._job
        until = asyncio.get_running_loop().time() + job.deadlines.connect
        server = await self._listen(until)
        dialing = [asyncio.create_task(self._dial(index)) for index in range(job.index + 1, job.session.terms.parties)]
        try:
            async with asyncio.timeout_at(until):
                await self._complete.wait()
        except TimeoutError:
            raise self._aborted() from None
        finally:
            if server is not None:
                server.close()
            for task in (*dialing, *self._handlers):
                task.cancel()
            await asyncio.gather(*dialing, *self._handlers, return_exceptions=True)
        return self.links

    def _aborted(self) -> MpcAborted:
        missing = [
            index for index in range(self._job.session.terms.parties) if index not in (*self.links, self._job.index)
        ]
        for index in missing:
            if index in self._seen:
                reason, party, detail = self._seen[index]
                return MpcAborted(reason, party, None, detail)
        return MpcAborted(AbortReason.UNREACHABLE, missing[0], None, f"not connected: {missing}")

    async def _listen(self, until: float) -> asyncio.Server | None:
        """Listen for parties of lower indices; an address that is in use, by the attempt before, is waited for."""
        job = self._job
        if job.index == 0:
            return None
        if job.socket is not None:
            return await asyncio.start_server(self._accept, sock=socket.socket(fileno=job.socket))
        while True:
            try:
                return await asyncio.start_server(self._accept, *job.listen)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or asyncio.get_running_loop().time() > until:
                    where = f"{job.listen[0]}:{job.listen[1]}"
                    detail = f"cannot listen on {where}: {error.strerror}"
                    raise MpcAborted(AbortReason.FAILED, job.index, None, detail) from None
            await asyncio.sleep(RETRY_SECONDS)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._handlers) >= MAX_HANDLERS:
            writer.close()
            return
        task = asyncio.create_task(self._briefly(self._welcome(reader, writer)))
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)

    async def _briefly(self, shaking: Coroutine[None, None, None]) -> None:
        """Give somebody who has not proved who it is a few seconds: strangers must not fill the place of parties."""
        with suppress(TimeoutError):
            await asyncio.wait_for(shaking, HANDSHAKE_SECONDS)

    async def _welcome(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Take a connection of a party of a lower index, or close it."""
        try:
            theirs = await Preamble.read(reader)
            cast(asyncio.Transport, writer.transport).pause_reading()  # what comes next is TLS's
            index = theirs.sender
            if theirs.receiver != self._job.index or index >= self._job.index or index in self.links:
                raise MpcFormatError("not one of the parties that connect to this one")
            answer = Answer.WELCOME
            if theirs.session != self._session:
                answer = Answer.OTHER_SESSION
            elif pin_of(theirs.certificate) != self._job.session.certificates[index]:
                answer = Answer.WRONG_CERTIFICATE
            writer.write(Preamble(self._session, self._job.index, index, self._own, answer).to_bytes())
            if answer is not Answer.WELCOME:
                self._seen[index] = _SEEN[answer], index, "seen on a connection that came in"
                raise MpcFormatError("refused")
            await self._secure(index, theirs.certificate, writer, listening=True)
        except (MpcFormatError, KeyFileError, OSError):
            writer.close()
        except asyncio.CancelledError:
            writer.close()
            raise

    async def _dial(self, index: int) -> None:
        """Connect to a party of a higher index, again and again."""
        while index not in self.links:
            with suppress(OSError, MpcFormatError, KeyFileError):
                await self._briefly(self._greet(index))
            if index not in self.links:
                await asyncio.sleep(RETRY_SECONDS)

    async def _greet(self, index: int) -> None:
        reader, writer = await asyncio.open_connection(*self._job.addresses[index])
        try:
            await self._introduce(index, reader, writer)
        except BaseException:
            writer.close()
            raise

    async def _introduce(self, index: int, reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(Preamble(self._session, self._job.index, index, self._own).to_bytes())
        theirs = await Preamble.read(reader)
        where = "{}:{}".format(*self._job.addresses[index])
        if theirs.answer is Answer.WRONG_CERTIFICATE:
            self._seen[index] = AbortReason.WRONG_CERTIFICATE, self._job.index, f"{where} says so of this party's own"
            raise MpcFormatError("refused")
        if theirs.answer is not Answer.WELCOME or (theirs.session, theirs.sender) != (self._session, index):
            self._seen[index] = AbortReason.OTHER_SESSION, index, f"seen at {where}"
            raise MpcFormatError("another session")
        if pin_of(theirs.certificate) != self._job.session.certificates[index]:
            self._seen[index] = AbortReason.WRONG_CERTIFICATE, index, f"seen at {where}"
            raise MpcFormatError("another certificate")
        await self._secure(index, theirs.certificate, writer, listening=False)

    async def _secure(self, index: int, certificate: bytes, writer: StreamWriter, *, listening: bool) -> None:
        """Start TLS on a connection, and make a link of it when the peer has proved the pinned certificate."""
        context = tls_context(*self._files, certificate, listening=listening)
        link = self._make_link(index)
        try:
            transport = await asyncio.get_running_loop().start_tls(
                writer.transport, link, context, server_side=listening
            )
        except ssl.SSLError as error:
            self._seen[index] = AbortReason.WRONG_CERTIFICATE, index, f"TLS: {error.reason}"
            raise
        if transport is None:
            raise MpcFormatError("the connection ended in the handshake")
        proved = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if proved is None or pin_of(proved) != self._job.session.certificates[index] or index in self.links:
            transport.close()
            raise MpcFormatError("the peer proved another certificate")
        link.connection_made(transport)
        self._writers.append(writer)
        self.links[index] = link
        if len(self.links) == self._job.session.terms.parties - 1:
            self._complete.set()


def _read(certificate: Path) -> bytes:
    try:
        return certificate_der(certificate.read_bytes())
    except OSError as error:
        raise KeyFileError(f"cannot read {certificate}: {error.strerror}") from None
